package hub

import (
	"slices"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// matcher finds the shared subscriptions that want a reply. Replies come one at a time, so
// filters are evaluated without a lock: the matcher learns about new and removed
// subscriptions from a list of changes, in [Hub.lockMatched].
//
//	subIndex ──► changes ──► matcher.apply ──► match ──► wanted
//	(Hub.mu)                 (one reply at a time)
type matcher struct {
	bySender map[string][]*sharedSub
	any      []*sharedSub              // of any sender
	mine     map[*Session][]*sharedSub // of replies to one session's commands alone
	keywords int                       // how many of them need keywords
	memo     *filter.Memo
	plain    []*plainGroup       // the groups of plain clients with views
	views    map[string]*viewUse // those of subscriptions and of plain clients, by key
	wanted   []*sharedSub        // result of match: those that want the current reply
	matching func()              // set by tests: called before filters are evaluated without the lock
}

func (x *matcher) beginUnlocked() {
	if x.matching != nil {
		x.matching()
	}
}

// memoTexts is how many senders, keywords and routing keys a memo remembers.
const memoTexts = 8192

func newMatcher() *matcher {
	return &matcher{bySender: map[string][]*sharedSub{}, mine: map[*Session][]*sharedSub{}, memo: filter.NewMemo(memoTexts), views: map[string]*viewUse{}}
}

// viewUse is a view in the matcher's memo, and how many subscriptions and groups of plain clients
// have it.
type viewUse struct {
	*filter.MemoView
	view  *filter.View
	count int
}

// useView returns a view's place in the memo, or nil for a nil view.
func (x *matcher) useView(v *filter.View) *viewUse {
	if v == nil {
		return nil
	}
	use := x.views[v.Key()]
	if use == nil {
		use = &viewUse{MemoView: x.memo.AddView(v), view: v}
		x.views[v.Key()] = use
		if v.NeedsKeywords() {
			x.keywords++
		}
	}
	use.count++
	return use
}

// dropView ends a use of a view.
func (x *matcher) dropView(use *viewUse) {
	if use == nil {
		return
	}
	if use.count--; use.count > 0 {
		return
	}
	x.memo.RemoveView(use.MemoView)
	delete(x.views, use.view.Key())
	if use.view.NeedsKeywords() {
		x.keywords--
	}
}

// selects reports whether the view selects the matcher's current reply.
func (u *viewUse) selects() bool { return u == nil || u.Match() }

// change is a subscription that was added or removed.
type change struct {
	*sharedSub
	gone bool
}

// match finds the subscriptions that want a reply. owner is the session whose command it
// answers, or nil.
func (x *matcher) match(r *Reply, owner *Session) {
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

func (x *matcher) matchAll(subs []*sharedSub, owner *Session) {
	for _, s := range subs {
		if x.memo.Match(s.Filter, s.number, owner != nil && owner == s.owner) && s.seen.selects() {
			x.wanted = append(x.wanted, s)
		}
	}
}

// apply applies changes to the matcher, and matches the current reply with the new
// subscriptions.
func (x *matcher) apply(changes []change, r *Reply, owner *Session) {
	var gone []*sharedSub
	for _, c := range changes {
		if c.gone {
			gone = append(gone, c.sharedSub)
		} else {
			x.add(c.sharedSub)
		}
	}
	x.remove(gone)
	if x.keywords > 0 && !r.read {
		r.readKeywords()
	}
	x.memo.Look(&r.Reply)
	for _, c := range changes {
		if !c.gone && c.mayWant(r, owner) {
			x.matchAll([]*sharedSub{c.sharedSub}, owner)
		}
	}
}

func (x *matcher) add(s *sharedSub) {
	s.number, s.seen = x.memo.Add(), x.useView(s.view)
	if s.Filter.NeedsKeywords() {
		x.keywords++
	}
	switch senders := s.senders; {
	case s.Filter.OnlyMine():
		x.mine[s.owner] = append(x.mine[s.owner], s)
	case senders != nil:
		for _, name := range senders {
			x.bySender[name] = append(x.bySender[name], s)
		}
	default:
		x.any = append(x.any, s)
	}
}

// remove removes subscriptions. It scans each list once, however many they are.
func (x *matcher) remove(gone []*sharedSub) {
	if len(gone) == 0 {
		return
	}
	set := make(map[*sharedSub]bool, len(gone))
	senders, owners, any := map[string]bool{}, map[*Session]bool{}, false
	for _, s := range gone {
		set[s] = true
		x.memo.Remove(s.number)
		x.dropView(s.seen)
		if s.Filter.NeedsKeywords() {
			x.keywords--
		}
		switch names := s.senders; {
		case s.Filter.OnlyMine():
			owners[s.owner] = true
		case names != nil:
			for _, name := range names {
				senders[name] = true
			}
		default:
			any = true
		}
	}
	if any {
		x.any = without(x.any, set)
	}
	removeFrom(x.bySender, senders, set)
	removeFrom(x.mine, owners, set)
}

// removeFrom removes subscriptions from the lists of these keys, and drops empty lists.
func removeFrom[K comparable](lists map[K][]*sharedSub, keys map[K]bool, gone map[*sharedSub]bool) {
	for key := range keys {
		if lists[key] = without(lists[key], gone); len(lists[key]) == 0 {
			delete(lists, key)
		}
	}
}

func without(list []*sharedSub, gone map[*sharedSub]bool) []*sharedSub {
	return slices.DeleteFunc(list, func(s *sharedSub) bool { return gone[s] })
}

// mayWant reports whether the matcher would evaluate the subscription's filter on a reply.
func (s *sharedSub) mayWant(r *Reply, owner *Session) bool {
	switch senders := s.senders; {
	case s.Filter.OnlyMine():
		return owner != nil && owner == s.owner
	case senders != nil:
		return slices.Contains(senders, r.Sender)
	}
	return true
}

const (
	// maxLockedChanges is how many changes are applied with the hub's lock held. There are
	// more only if, after matchRounds, changes still come faster than they can be applied
	// without it.
	maxLockedChanges = 4
	matchRounds      = 4
)

// lockMatched finds the subscriptions that want a reply, and returns with the hub's lock
// held and the matcher up to date: every subscription that exists by then gets the reply.
func (h *Hub) lockMatched(r *Reply, owner *Session) {
	h.matcher.beginUnlocked()
	h.matcher.match(r, owner)
	h.matcher.matchPlain(&h.plain, r)
	h.mu.Lock()
	for round := 1; len(h.subs.changes) > 0; round++ {
		changes := h.subs.takeChanges()
		if len(changes) <= maxLockedChanges || round == matchRounds {
			h.matcher.apply(changes, r, owner)
			return
		}
		h.mu.Unlock()
		h.matcher.beginUnlocked()
		h.matcher.apply(changes, r, owner)
		h.mu.Lock()
	}
}
