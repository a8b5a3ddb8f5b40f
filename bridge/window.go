package bridge

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// maxWindows bounds the senders whose replies one selection throttles, and the order
// keys that it remembers; what is beyond is delivered.
const maxWindows = 10_000

// window is a time in which no more of a sender's replies are delivered by a
// selection, to whatever group. What each of them gets at its end is with its member.
type window struct {
	ends time.Time
	gave bool // something of it was delivered at its end, with that of another one
	stop func() bool
}

// first tells whether a selection delivers the sender's reply at once, because no
// window is open; with that one opens.
func (h *hub) first(s *selection, sender string) bool {
	if s.windows[sender] != nil {
		return false
	}
	h.openWindow(s, sender, h.now())
	return true
}

// openWindow begins a time in which the sender's replies are held.
func (h *hub) openWindow(s *selection, sender string, from time.Time) {
	if s.windows == nil {
		s.windows = map[string]*window{}
	}
	if len(s.windows) >= maxWindows {
		return
	}
	w := &window{ends: from.Add(s.throttle)}
	s.windows[sender] = w
	w.stop = h.after(w.ends.Sub(h.now()), func() { h.closeWindow(s, sender, w) })
}

// closeWindow ends a window. Each group gets what it holds of it, and of its other
// windows of the sender's that end by then, in order. If there was anything the
// next window opens; else the sender is forgotten.
func (h *hub) closeWindow(s *selection, sender string, w *window) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.windows[sender] != w {
		return // nobody has the selection any more
	}
	for _, m := range s.members {
		if m.held[sender] != nil {
			m.group.settle(sender, w.ends)
		}
	}
	delete(s.windows, sender)
	if w.gave {
		h.openWindow(s, sender, w.ends)
	}
}

// settle delivers what a group holds of the sender's windows that end by then.
func (g *group) settle(sender string, by time.Time) {
	var due []*member
	for _, m := range g.members {
		if w := m.windows[sender]; w != nil && m.held[sender] != nil && !w.ends.After(by) {
			w.gave = true
			due = append(due, m)
		}
	}
	for _, r := range heldOf(due, &sender) {
		g.release(r)
	}
}

// shut ends the windows of a selection that nobody has any more.
func (s *selection) shut() {
	for _, w := range s.windows {
		w.stop()
	}
	s.windows = nil
}

// hold keeps a reply for the end of the window, in place of an older one.
func (m *member) hold(r *reply) {
	if m.held == nil {
		m.held = map[string]*reply{}
	}
	m.held[r.Sender] = r
}

// release delivers a reply that was held, by which all members of the group have it.
func (g *group) release(r *reply) {
	for _, m := range g.members {
		if m.held[r.Sender] == r {
			delete(m.held, r.Sender)
		}
	}
	g.log.Append(r.frame)
}

// heldOf are the replies that these members hold, each once, in their order: those
// of one sender, or with nil those of all.
func heldOf(members []*member, sender *string) (held []*reply) {
	for _, m := range members {
		if sender == nil {
			held = slices.AppendSeq(held, maps.Values(m.held))
		} else if r := m.held[*sender]; r != nil {
			held = append(held, r)
		}
	}
	slices.SortFunc(held, func(a, b *reply) int { return cmp.Compare(a.seq, b.seq) })
	return slices.Compact(held)
}

// heldBy is what a group holds by a selection; nil holds nothing.
func (g *group) heldBy(s *selection) map[string]*reply {
	if g != nil {
		for _, m := range g.members {
			if m.selection == s {
				return maps.Clone(m.held)
			}
		}
	}
	return nil
}

// heldByKey returns the pending replies of the group's selection with this key; a nil
// group has none.
func (g *group) heldByKey(key string) iter.Seq[*reply] {
	if g != nil {
		for _, m := range g.members {
			if m.key == key {
				return maps.Values(m.held)
			}
		}
	}
	return func(func(*reply) bool) {}
}

// heldBeside returns the pending replies of the group that the other one does not hold,
// in order, each once; a nil group has none.
func (g *group) heldBeside(other *group) []*reply {
	if g == nil {
		return nil
	}
	held := heldOf(g.members, nil)
	if len(held) == 0 {
		return nil
	}
	theirs := heldOf(other.members, nil)
	return slices.DeleteFunc(held, func(r *reply) bool { return inOrder(theirs, r) })
}

// forgo discards the pending replies of a single client's group that the client has
// already got, given in order.
func (g *group) forgo(replies []*reply) {
	if g.clients > 1 || len(replies) == 0 {
		return
	}
	for _, m := range g.members {
		maps.DeleteFunc(m.held, func(_ string, r *reply) bool { return inOrder(replies, r) })
	}
}

// owed are the frames that a group holds and the next one of a client does not, in
// order, each once.
func (g *group) owed(next *group) (frames []engine.Frame) {
	for _, r := range g.heldBeside(next) {
		frames = append(frames, r.frame)
	}
	return frames
}

// orders are the highest delivered of each order key.
type orders map[string]int64

// stale tells whether a newer reply of the same order was delivered.
func (o orders) stale(r *reply) bool {
	last, ok := o[r.orderKey]
	return r.ordered && ok && r.order < last
}

// note remembers a reply's place in its order.
func (o *orders) note(r *reply) {
	if r.ordered {
		o.reach(r.orderKey, r.order)
	}
}

func (o *orders) reach(key string, order int64) {
	if *o == nil {
		*o = orders{}
	}
	if last, known := (*o)[key]; known && order > last || !known && len(*o) < maxWindows {
		(*o)[key] = order
	}
}
