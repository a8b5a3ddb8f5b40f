package hub

import (
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// EachKeyword calls yield for each keyword that a filter selects and a viewer may know of, sorted by
// actor and name, with its last value as JSON (nil if that is too large to be kept), until yield
// returns false. It takes the hub's lock
// only to begin.
func (h *Hub) EachKeyword(f *filter.Filter, v *Viewer, yield func(e snapshot.Entry, value []byte) bool) {
	h.mu.Lock()
	all := h.values.Actors()
	h.mu.Unlock()
	memo := filter.NewMemo(memoTexts)
	number := memo.Add()
	if view := v.view(); view != nil {
		seen := memo.AddView(view)
		all.Restrict(visibleTo(view, func() (*filter.Memo, *filter.MemoView) { return memo, seen }), new(snapshot.Restricting), func() bool { return false })
	}
	selects := selectorOf(f, memo, number)
	all.Each(func(e snapshot.Entry, value []byte) bool { return !selects(e) || yield(e, value) })
}

// selectorOf returns a function that reports whether a filter selects the reply that has set a
// keyword, as if it had no other keyword.
func selectorOf(f *filter.Filter, memo *filter.Memo, number int) func(snapshot.Entry) bool {
	r := &filter.Reply{Keywords: make([]string, 1)}
	return func(e snapshot.Entry) bool {
		r.Sender, r.RoutingKey, r.Code, r.CommandID = e.Actor, e.RoutingKey, e.Code, e.CommandID
		r.Commander, r.Internal, r.Keywords[0] = e.Commander, e.Internal, e.Keyword
		memo.Look(r)
		return memo.Match(f, number, false)
	}
}
