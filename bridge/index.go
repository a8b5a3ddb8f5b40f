package bridge

import (
	"slices"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// subIndex finds the selections that want a reply. It belongs to whoever
// delivers replies, one at a time, so filters are evaluated without a lock: new and removed selections
// reach it as a list of changes, in [hub.lockMatched].
//
//	shelf ──► changes ──► subIndex.apply ──► match ──► wanted
//	(hub.mu)              (one reply at a time)
type subIndex struct {
	bySender map[string][]*selection
	any      []*selection              // those for any sender
	mine     map[*session][]*selection // those for replies to one session's commands only
	keywords int                       // how many read keywords
	memo     *filter.Memo
	wanted   []*selection // those that want the reply being delivered
	matching func()       // set by tests: called before filters are evaluated
}

// rememberedTexts is how many senders, keywords and routing keys the index memoizes.
const rememberedTexts = 8192

func newSubIndex() *subIndex {
	return &subIndex{bySender: map[string][]*selection{}, mine: map[*session][]*selection{}, memo: filter.NewMemo(rememberedTexts)}
}

// change is a selection that was added or removed.
type change struct {
	*selection
	gone bool
}

// match finds the selections that want a reply. owner is the session whose command it
// answers, or nil.
func (x *subIndex) match(r *reply, owner *session) {
	x.wanted = x.wanted[:0]
	if x.keywords > 0 {
		r.readKeywords()
	}
	x.memo.Look(&r.Reply)
	x.matchAll(x.bySender[r.Sender], owner)
	x.matchAll(x.any, owner)
	if owner != nil {
		x.matchAll(x.mine[owner], owner)
	}
}

func (x *subIndex) matchAll(selections []*selection, owner *session) {
	for _, s := range selections {
		if x.memo.Match(s.filter, s.number, owner != nil && owner == s.owner) {
			x.wanted = append(x.wanted, s)
		}
	}
}

// apply applies changes while a reply is being delivered, and matches the reply with
// new selections.
func (x *subIndex) apply(changes []change, r *reply, owner *session) {
	var gone []*selection
	for _, c := range changes {
		if c.gone {
			gone = append(gone, c.selection)
		} else {
			x.add(c.selection)
		}
	}
	x.remove(gone)
	if x.keywords > 0 && !r.read {
		r.readKeywords()
	}
	x.memo.Look(&r.Reply)
	for _, c := range changes {
		if !c.gone && c.mayWant(r, owner) {
			x.matchAll([]*selection{c.selection}, owner)
		}
	}
}

func (x *subIndex) add(s *selection) {
	s.number = x.memo.Add()
	if s.filter.NeedsKeywords() {
		x.keywords++
	}
	switch senders := s.filter.Senders(); {
	case s.filter.OnlyMine():
		x.mine[s.owner] = append(x.mine[s.owner], s)
	case senders != nil:
		for _, name := range senders {
			x.bySender[name] = append(x.bySender[name], s)
		}
	default:
		x.any = append(x.any, s)
	}
}

// remove scans each list once, however many selections it removes.
func (x *subIndex) remove(gone []*selection) {
	if len(gone) == 0 {
		return
	}
	set := make(map[*selection]bool, len(gone))
	senders, owners, any := map[string]bool{}, map[*session]bool{}, false
	for _, s := range gone {
		set[s] = true
		x.memo.Remove(s.number)
		if s.filter.NeedsKeywords() {
			x.keywords--
		}
		switch names := s.filter.Senders(); {
		case s.filter.OnlyMine():
			owners[s.owner] = true
		case names != nil:
			for _, name := range names {
				senders[name] = true
			}
		default:
			any = true
		}
	}
	left := func(list []*selection) []*selection {
		return slices.DeleteFunc(list, func(s *selection) bool { return set[s] })
	}
	if any {
		x.any = left(x.any)
	}
	keepNonEmpty(x.bySender, senders, left)
	keepNonEmpty(x.mine, owners, left)
}

func keepNonEmpty[K comparable](lists map[K][]*selection, keys map[K]bool, left func([]*selection) []*selection) {
	for key := range keys {
		if lists[key] = left(lists[key]); len(lists[key]) == 0 {
			delete(lists, key)
		}
	}
}

// mayWant reports whether the index would find the selection for a reply.
func (s *selection) mayWant(r *reply, owner *session) bool {
	switch senders := s.filter.Senders(); {
	case s.filter.OnlyMine():
		return owner != nil && owner == s.owner
	case senders != nil:
		return slices.Contains(senders, r.Sender)
	}
	return true
}

// fewChanges are applied with the hub's lock held; more than that only if changes come
// faster than they can be applied without it.
const (
	fewChanges  = 4
	matchRounds = 4
)

// lockMatched finds the selections that want a reply, and returns with the hub's lock
// held and the index up to date: every subscription that exists by then gets the reply.
func (h *hub) lockMatched(r *reply, owner *session) {
	if h.index.matching != nil {
		h.index.matching()
	}
	h.index.match(r, owner)
	h.mu.Lock()
	for round := 1; len(h.shelf.changes) > 0; round++ {
		changes := h.shelf.takeChanges()
		if len(changes) <= fewChanges || round == matchRounds {
			h.index.apply(changes, r, owner)
			return
		}
		h.mu.Unlock()
		h.index.apply(changes, r, owner)
		h.mu.Lock()
	}
}
