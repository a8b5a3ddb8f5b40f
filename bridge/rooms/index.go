package rooms

import (
	"iter"
	"strings"

	"github.com/clu-ws/clu-ws/internal/unordered"
)

// PathIndex finds the values of a path's room and of the rooms below it, since a message for a room
// is also for those below. Each value is listed under the path of its room and under every path
// above it.
type PathIndex[T comparable] map[string][]T

// Add lists a value for the room of a path.
func (x PathIndex[T]) Add(path string, v T) {
	for above := range Upwards(path) {
		x[above] = append(x[above], v)
	}
}

// Remove removes a value that was added for the path.
func (x PathIndex[T]) Remove(path string, v T) {
	for above := range Upwards(path) {
		if left := unordered.Remove(x[above], v); len(left) > 0 {
			x[above] = left
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
