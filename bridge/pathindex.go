package bridge

import "strings"

// pathIndex finds who is in the room of a path or in one below it: what is
// published for a room is for those below it, too. Whoever is in a room stands
// here under its path and under every path above.
type pathIndex[T comparable] map[string][]T

func (x pathIndex[T]) add(path string, v T) {
	for above := range upwards(path) {
		x[above] = append(x[above], v)
	}
}

func (x pathIndex[T]) remove(path string, v T) {
	for above := range upwards(path) {
		remove(x, above, v)
	}
}

// upwards gives a path and all above it, to "/".
func upwards(path string) func(yield func(string) bool) {
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
