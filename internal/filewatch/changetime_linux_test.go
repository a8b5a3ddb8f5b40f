package filewatch

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAFileThatKeepsItsSizeAndTimeIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	write(t, path, "old")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	var w Watch
	w.Use(path)
	before, beforeNano := changeTime(info)
	for { // the clock of a file system is coarse
		write(t, path, "new")
		if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
		now, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if s, n := changeTime(now); s != before || n != beforeNano {
			break
		}
	}
	expect(t, &w, "copied over with its old time", false, true)
}
