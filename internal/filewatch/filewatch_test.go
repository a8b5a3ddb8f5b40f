package filewatch

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, w *Watch, what string, want ...bool) {
	t.Helper()
	for i, want := range want {
		if got := w.Changed(); got != want {
			t.Errorf("%s: look %d says %v", what, i+1, got)
		}
	}
}

func TestAChangeCountsOnceTheFileIsComplete(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	write(t, path, "old")
	var w Watch
	w.Use(path)
	expect(t, &w, "no change", false, false)
	write(t, path, "")
	expect(t, &w, "emptied", false)
	write(t, path, "newer")
	expect(t, &w, "written", false, true, true)
	w.Use(path)
	expect(t, &w, "used", false, false)
}

func TestRenamedRemovedAndLinkedFilesAreChanges(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "link")
	for _, name := range []string{"a", "b"} {
		write(t, filepath.Join(dir, name), "same")
	}
	link := func(to string) {
		t.Helper()
		if err := os.Symlink(to, path+".next"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".next", path); err != nil {
			t.Fatal(err)
		}
	}
	link("a")
	var w Watch
	w.Use(path, filepath.Join(dir, "absent"))
	link("b")
	expect(t, &w, "another target", false, true)
	w.Use(path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	expect(t, &w, "removed", false, true)
	w.Use(path)
	expect(t, &w, "still absent", false, false)
	link("a")
	expect(t, &w, "back", false, true)
}

func TestAWatchOfNothingSeesNoChange(t *testing.T) {
	var w Watch
	expect(t, &w, "nothing", false, false)
}
