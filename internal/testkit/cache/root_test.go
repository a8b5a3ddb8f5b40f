package cache

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWorktreesThatShareACacheByALinkHaveTheSamePathForIt(t *testing.T) {
	shared, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		tree := t.TempDir()
		if err := os.WriteFile(filepath.Join(tree, "go.mod"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(shared, filepath.Join(tree, ".cache")); err != nil {
			t.Fatal(err)
		}
		t.Chdir(tree)
		root, err := Root()
		if err != nil || root != shared {
			t.Errorf("the cache is %s (%v), not %s", root, err, shared)
		}
	}
}
