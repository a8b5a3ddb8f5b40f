package bridge

import (
	"cmp"
	"container/heap"
	"iter"
	"maps"
	"math"
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
	selection *selection
	sender    string
	ends      time.Time
	turn      uint64 // of those that end together the one with the lowest is first
	place     int    // in hub.windows
	gave      bool   // something of it was delivered at its end, with that of another one
}

// windows are the open ones of all selections: a heap, the one that ends first is first.
// One timer is for all of them: where ten thousand senders are throttled, as many timers
// would go off together, and wait for the hub's lock in front of everybody else.
type windows struct {
	open  []*window
	ever  uint64
	rings time.Time   // when the timer goes off
	stop  func() bool // the timer; nil if there is none
}

// windowsAtOnce is how many end before others may have the hub's lock.
const windowsAtOnce = 256

func (w *windows) Len() int { return len(w.open) }

func (w *windows) Less(i, j int) bool {
	a, b := w.open[i], w.open[j]
	return cmp.Or(a.ends.Compare(b.ends), cmp.Compare(a.turn, b.turn)) < 0
}

func (w *windows) Swap(i, j int) {
	w.open[i], w.open[j] = w.open[j], w.open[i]
	w.open[i].place, w.open[j].place = i, j
}

func (w *windows) Push(x any) {
	x.(*window).place = len(w.open)
	w.open = append(w.open, x.(*window))
}

func (w *windows) Pop() any {
	last := len(w.open) - 1
	x := w.open[last]
	w.open[last] = nil
	w.open = w.open[:last]
	return x
}

// first tells whether a selection delivers the sender's reply at once, because no
// window is open; with that one opens.
func (h *hub) first(s *selection, sender string) bool {
	if s.windows[sender] != nil {
		return false
	}
	h.openWindow(s, sender, h.now())
	h.setWindowTimer()
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
	h.windows.ever++
	w := &window{selection: s, sender: sender, ends: from.Add(s.throttle), turn: h.windows.ever}
	s.windows[sender] = w
	heap.Push(&h.windows, w)
}

// setWindowTimer has the timer go off when the first window ends. mu is held.
func (h *hub) setWindowTimer() {
	w := &h.windows
	if len(w.open) == 0 || w.stop != nil && !w.open[0].ends.Before(w.rings) {
		return // it may go off for nothing
	}
	if w.stop != nil {
		w.stop()
	}
	w.rings = w.open[0].ends
	w.stop = h.after(max(0, w.rings.Sub(h.now())), h.endWindows)
}

// endWindows ends those whose time it is: as many as may be done at once, and the timer
// goes off again for the others.
func (h *hub) endWindows() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.windows.stop = nil
	for range windowsAtOnce {
		if len(h.windows.open) == 0 || h.windows.open[0].ends.After(h.now()) {
			break
		}
		h.closeWindow(heap.Pop(&h.windows).(*window))
	}
	h.setWindowTimer()
}

// closeWindow ends a window. Each group gets what it holds of it, and of its other
// windows of the sender's that end by then, in order. If there was anything the
// next window opens; else the sender is forgotten. mu is held.
func (h *hub) closeWindow(w *window) {
	s := w.selection
	for _, m := range s.members {
		if m.held[w.sender] != nil {
			m.group.settle(w.sender, w.ends)
		}
	}
	delete(s.windows, w.sender)
	if w.gave {
		h.openWindow(s, w.sender, w.ends)
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

// shut ends the windows of a selection that nobody has any more. mu is held.
func (h *hub) shut(s *selection) {
	for _, w := range s.windows {
		heap.Remove(&h.windows, w.place)
	}
	s.windows = nil
	if w := &h.windows; len(w.open) == 0 && w.stop != nil {
		w.stop()
		w.stop = nil
	}
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
	wait := time.Duration(math.MaxInt64)
	for _, m := range g.members {
		if m.held[r.Sender] == r {
			delete(m.held, r.Sender)
			wait = min(wait, m.batch)
		}
	}
	g.log.AppendWithin(r.frame, wait)
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
