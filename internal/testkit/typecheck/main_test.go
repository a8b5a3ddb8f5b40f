package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFaultThatOnlyOneSystemHasIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":              "module example\n\ngo 1.26\n",
		"all.go":              "package example\n\nimport \"os\"\n\nvar Name = os.DevNull\n",
		"some_windows.go":     "package example\n\nvar Number int = Name\n",
		"some_arm64.go":       "package example\n\nvar Missing = missing\n",
		"some_darwin_test.go": "package example\n\nvar inATest = missing\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for target, want := range map[string][]string{
		"linux/amd64":   nil,
		"windows/amd64": {"some_windows.go"},
		"freebsd/arm64": {"some_arm64.go"},
		"darwin/arm64":  {"some_arm64.go", "some_darwin_test.go"},
	} {
		faults, err := check(dir, target)
		found := strings.Join(faults, "\n")
		if err != nil || len(faults) != len(want) {
			t.Errorf("%s: it found %v\n%s", target, err, found)
		}
		for _, file := range want {
			if !strings.Contains(found, file+":3:") {
				t.Errorf("%s: it found nothing in %s:\n%s", target, file, found)
			}
		}
	}
	for _, target := range []string{"linux", "plan10/amd64"} {
		if faults, err := check(dir, target); err == nil && len(faults) == 0 {
			t.Errorf("%s is taken for a system", target)
		}
	}
}
