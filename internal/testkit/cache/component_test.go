package cache

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFailureIsRememberedUntilItIsForgotten(t *testing.T) {
	tree := t.TempDir()
	if err := os.WriteFile(filepath.Join(tree, "go.mod"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(tree)
	made := 0
	c := component{
		name: "new",
		make: func(string) error {
			made++
			if made == 1 {
				return errors.New("no network")
			}
			return nil
		},
		stamp: func(string) string { return "1\n" },
	}
	for range 2 {
		if _, err := c.ready(); err == nil || !strings.Contains(err.Error(), "no network") || made != 1 {
			t.Fatalf("%v, tried %d times", err, made)
		}
	}
	Forget()
	if dir, err := c.ready(); err != nil || filepath.Base(dir) != "new" || made != 2 {
		t.Errorf("%s, %v, tried %d times", dir, err, made)
	}
}
