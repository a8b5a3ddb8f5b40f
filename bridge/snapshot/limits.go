package snapshot

import "cmp"

// Limits bound the memory of a [Store]. A limit of 0 is the default.
type Limits struct {
	// Actors is how many actors are known. 0 is 1000. There are no more than fit into Bytes at
	// 4 KiB each, so that none is left without keywords.
	Actors int
	// Keywords is how many keywords of one actor are known; one that is both public and internal
	// counts twice. 0 is 1000.
	Keywords int
	// Bytes bounds the names, the values, and a fixed cost of each actor, keyword and reply that
	// is kept. 0 is 32 MiB.
	Bytes int
	// Value is the length of the longest value, name and header that is kept, in bytes. 0 is
	// 64 KiB. It is at most a quarter of Bytes, so that no value evicts everything else.
	Value int
}

func (l *Limits) setDefaults() {
	l.Actors = cmp.Or(max(0, l.Actors), 1000)
	l.Keywords = cmp.Or(max(0, l.Keywords), 1000)
	l.Bytes = cmp.Or(max(0, l.Bytes), 32<<20)
	l.Actors = min(l.Actors, max(1, l.Bytes/actorRoom))
	l.Value = min(cmp.Or(max(0, l.Value), 64<<10), l.Bytes/4)
}

// actorRoom is the memory that each actor must at least have, in bytes.
const actorRoom = 4 << 10

// The memory of an actor, a keyword and a reply in addition to their texts, in bytes: structs, list
// elements and map entries. A test compares these with the heap.
const (
	actorCost     = 768
	keywordCost   = 256
	keptReplyCost = 160
)
