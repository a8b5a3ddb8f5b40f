package rooms

import (
	"iter"
	"strings"

	"github.com/clu-ws/clu-ws/internal/unordered"
)

// PathIndex finds the values of a path's room and of the rooms below it, since a message for a room
// is also for those below. Each value is listed once under the paths of its rooms and under every path
// above them. What removing one costs does not depend on how many there are.
type PathIndex[T comparable] map[string]unordered.Set[T]

// At returns the values of the rooms at and below a path. They are valid until the next change.
func (x PathIndex[T]) At(path string) []T {
	s := x[path]
	return s.List()
}

// Add lists a value for the rooms of some paths. It must not be listed yet.
func (x PathIndex[T]) Add(v T, paths ...string) {
	for above := range allUpwards(paths) {
		s := x[above]
		s.Add(v)
		x[above] = s
	}
}

// Remove removes a value that was added for the same paths.
func (x PathIndex[T]) Remove(v T, paths ...string) {
	for above := range allUpwards(paths) {
		s := x[above]
		if s.Remove(v); len(s.List()) > 0 {
			x[above] = s
		} else {
			delete(x, above)
		}
	}
}

// Upwards iterates over a path and all paths above it, up to "/".
func Upwards(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for path != "/" {
			if !yield(path) {
				return
			}
			path = path[:max(1, strings.LastIndexByte(path, '/'))]
		}
		yield(path)
	}
}

// allUpwards iterates over some paths and all paths above them, each once.
func allUpwards(paths []string) iter.Seq[string] {
	if len(paths) == 1 {
		return Upwards(paths[0])
	}
	return func(yield func(string) bool) {
		had := map[string]bool{}
		for _, path := range paths {
			for above := range Upwards(path) {
				if had[above] {
					break // as are those above it
				}
				if had[above] = true; !yield(above) {
					return
				}
			}
		}
	}
}
