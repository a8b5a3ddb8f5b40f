package rooms

import (
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
		removeFrom(x, above, v)
	}
}

// Upwards iterates over a path and all paths above it, up to "/".
func Upwards(path string) func(yield func(string) bool) {
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

func removeFrom[K comparable, V comparable](from map[K][]V, key K, v V) {
	if left := unordered.Remove(from[key], v); len(left) > 0 {
		from[key] = left
	} else {
		delete(from, key)
	}
}
