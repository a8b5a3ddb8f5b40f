package snapshot

import (
	"slices"
	"strings"
)

// Each calls yield for each keyword of the actors, sorted by actor and name, with its last value as
// JSON, until yield returns false. A value that is too large to be kept is nil. Values must not be
// changed.
func (all Actors) Each(yield func(e Entry, value []byte) bool) {
	slices.SortFunc(all, func(a, b actorView) int { return strings.Compare(a.name, b.name) })
	for _, a := range all {
		keywords := slices.SortedFunc(slices.Values(a.keywords), func(a, b *keyword) int { return strings.Compare(a.name, b.name) })
		for _, k := range keywords {
			if !yield(k.entry(), k.value) {
				return
			}
		}
	}
}
