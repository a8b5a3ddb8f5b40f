package snapshot

import "cmp"

// Limits bound the memory of a [Store]. A limit of 0 is its default.
type Limits struct {
	// Actors is how many actors are known. 0 is 1000. There are no more than Bytes
	// has room for at 4 KiB each, so that none is left with its name alone.
	Actors int
	// Keywords is how many keywords of one actor are known; one that came by
	// internal and other replies counts twice. 0 is 1000.
	Keywords int
	// Bytes bounds names, values, and a fixed cost of each actor, keyword and
	// reply that is remembered. 0 is 32 MiB.
	Bytes int
	// Value is the length of the longest value, of the longest name and of the
	// longest header that are kept, in bytes. 0 is 64 KiB. It is a quarter of
	// Bytes at most, so that no value pushes out everything else.
	Value int
}

func (l *Limits) setDefaults() {
	l.Actors = cmp.Or(max(0, l.Actors), 1000)
	l.Keywords = cmp.Or(max(0, l.Keywords), 1000)
	l.Bytes = cmp.Or(max(0, l.Bytes), 32<<20)
	l.Actors = min(l.Actors, max(1, l.Bytes/actorRoom))
	l.Value = min(cmp.Or(max(0, l.Value), 64<<10), l.Bytes/4)
}

// actorRoom is the least that each actor must have room for, in bytes.
const actorRoom = 4 << 10

// What is remembered costs about this beside its texts, in bytes: structs, list
// elements and places in maps. A test compares them with the heap.
const (
	actorCost     = 640
	keywordCost   = 256
	keptReplyCost = 160
)
