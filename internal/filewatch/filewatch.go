package filewatch

import (
	"io/fs"
	"maps"
	"os"
)

// Watch watches files. The zero value watches none, and has seen nothing.
type Watch struct {
	used state // when they were last used
	last state // at the last look
}

// state is the state of files by their path; nil is a missing file.
type state map[string]fs.FileInfo

// Use notes that the files are about to be read as they are now. It replaces the watched files.
func (w *Watch) Use(paths ...string) {
	w.used = look(paths)
	w.last = maps.Clone(w.used)
}

// Retarget makes these the watched files. Those that were watched before count as used when they
// were; the others are used as they are now.
func (w *Watch) Retarget(paths ...string) {
	before := w.used
	w.Use(paths...)
	for path := range w.used {
		if info, ok := before[path]; ok {
			w.used[path] = info
		}
	}
}

// Changed looks at the files, and reports whether they differ from those that were used, and are
// complete.
func (w *Watch) Changed() bool {
	paths := make([]string, 0, len(w.used))
	for path := range w.used {
		paths = append(paths, path)
	}
	now := look(paths)
	complete := equal(now, w.last)
	w.last = now
	return complete && !equal(now, w.used)
}

func look(paths []string) state {
	s := state{}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			info = nil
		}
		s[path] = info
	}
	return s
}

func equal(a, b state) bool {
	return maps.EqualFunc(a, b, func(a, b fs.FileInfo) bool {
		if a == nil || b == nil {
			return a == nil && b == nil
		}
		return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && changed(a) == changed(b)
	})
}

func changed(info fs.FileInfo) [2]int64 {
	seconds, nanoseconds := changeTime(info)
	return [2]int64{seconds, nanoseconds}
}
