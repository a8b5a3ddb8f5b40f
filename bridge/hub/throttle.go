package hub

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

// maxThrottleWindows bounds the senders that one subscription throttles, and the order keys
// that it remembers. Replies beyond that are delivered.
const maxThrottleWindows = 10_000

// throttleWindow is a span of time in which a shared subscription delivers no further reply
// of a sender. The latest reply in it is pending in each group until it ends
// ([groupSub].pending).
type throttleWindow struct {
	sub       *sharedSub
	sender    string
	ends      time.Time
	opened    uint64 // orders those that end together
	place     int    // in Hub.windows
	delivered bool   // a pending reply of it was delivered with that of another window
}

// throttleWindows is a heap of all open windows; the one that ends first is first. They have
// one timer together: the timers of ten thousand senders would all wait for the hub's lock
// at the same moment.
type throttleWindows struct {
	open       []*throttleWindow
	lastOpened uint64
	firesAt    time.Time   // when the timer fires
	stop       func() bool // the timer; nil if there is none
}

// windowsAtOnce is how many windows end before the hub's lock is given up.
const windowsAtOnce = 256

func (w *throttleWindows) Len() int { return len(w.open) }

func (w *throttleWindows) Less(i, j int) bool {
	a, b := w.open[i], w.open[j]
	return cmp.Or(a.ends.Compare(b.ends), cmp.Compare(a.opened, b.opened)) < 0
}

func (w *throttleWindows) Swap(i, j int) {
	w.open[i], w.open[j] = w.open[j], w.open[i]
	w.open[i].place, w.open[j].place = i, j
}

func (w *throttleWindows) Push(x any) {
	x.(*throttleWindow).place = len(w.open)
	w.open = append(w.open, x.(*throttleWindow))
}

func (w *throttleWindows) Pop() any {
	last := len(w.open) - 1
	x := w.open[last]
	w.open[last] = nil
	w.open = w.open[:last]
	return x
}

// opensWindow reports whether a subscription delivers the sender's reply at once, because no window
// is open. If so it opens one.
func (h *Hub) opensWindow(s *sharedSub, sender string) bool {
	if s.windows[sender] != nil {
		return false
	}
	h.openWindow(s, sender, h.now())
	h.setWindowTimer()
	return true
}

// openWindow begins to throttle a sender.
func (h *Hub) openWindow(s *sharedSub, sender string, from time.Time) {
	if s.windows == nil {
		s.windows = map[string]*throttleWindow{}
	}
	if len(s.windows) >= maxThrottleWindows {
		return
	}
	h.windows.lastOpened++
	w := &throttleWindow{sub: s, sender: sender, ends: from.Add(s.Throttle), opened: h.windows.lastOpened}
	s.windows[sender] = w
	heap.Push(&h.windows, w)
}

// setWindowTimer has the timer fire when the first window ends. mu is held.
func (h *Hub) setWindowTimer() {
	w := &h.windows
	if len(w.open) == 0 || w.stop != nil && !w.open[0].ends.Before(w.firesAt) {
		return // it may fire too early
	}
	if w.stop != nil {
		w.stop()
	}
	w.firesAt = w.open[0].ends
	w.stop = h.after(max(0, w.firesAt.Sub(h.now())), h.endWindows)
}

// endWindows ends the windows that are due. If there are many the timer fires again for the
// rest.
func (h *Hub) endWindows() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.windows.stop = nil
	for range windowsAtOnce {
		if len(h.windows.open) == 0 || h.windows.open[0].ends.After(h.now()) {
			break
		}
		h.closeWindow(heap.Pop(&h.windows).(*throttleWindow))
	}
	h.setWindowTimer()
}

// closeWindow ends a window. Each group gets its pending reply, and those of its other
// windows of the sender that end by then, in order. If there was one the next window opens.
// mu is held.
func (h *Hub) closeWindow(w *throttleWindow) {
	s := w.sub
	for _, m := range s.groups {
		if m.pending[w.sender] != nil {
			m.group.flushDue(w.sender, w.ends)
		}
	}
	delete(s.windows, w.sender)
	if w.delivered {
		h.openWindow(s, w.sender, w.ends)
	}
}

// flushDue delivers a group's pending replies of the sender's windows that end by then.
func (g *group) flushDue(sender string, by time.Time) {
	var due []*groupSub
	for _, m := range g.subs {
		if w := m.windows[sender]; w != nil && m.pending[sender] != nil && !w.ends.After(by) {
			w.delivered = true
			due = append(due, m)
		}
	}
	for _, r := range pendingOf(due, &sender) {
		g.release(r)
	}
}

// closeWindows drops the windows of a subscription that no group has any more. mu is held.
func (h *Hub) closeWindows(s *sharedSub) {
	for _, w := range s.windows {
		heap.Remove(&h.windows, w.place)
	}
	s.windows = nil
	if w := &h.windows; len(w.open) == 0 && w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

// setPending keeps a reply until the end of the window, in place of an older one.
func (m *groupSub) setPending(r *Reply) {
	if m.pending == nil {
		m.pending = map[string]*Reply{}
	}
	m.pending[r.Sender] = r
}

// release delivers a pending reply, once for all subscriptions of the group.
func (g *group) release(r *Reply) {
	wait := time.Duration(math.MaxInt64)
	for _, m := range g.subs {
		if m.pending[r.Sender] == r {
			delete(m.pending, r.Sender)
			wait = min(wait, m.batch)
		}
	}
	g.log.AppendWithin(r.Frame, wait)
}

// pendingOf returns the pending replies of these subscriptions, each once and in order: those
// of one sender, or of all if it is nil.
func pendingOf(subs []*groupSub, sender *string) (pending []*Reply) {
	for _, m := range subs {
		if sender == nil {
			pending = slices.AppendSeq(pending, maps.Values(m.pending))
		} else if r := m.pending[*sender]; r != nil {
			pending = append(pending, r)
		}
	}
	slices.SortFunc(pending, func(a, b *Reply) int { return cmp.Compare(a.Seq, b.Seq) })
	return slices.Compact(pending)
}

// pendingBy returns a group's pending replies of a shared subscription, by sender; a nil group
// has none.
func (g *group) pendingBy(s *sharedSub) map[string]*Reply {
	if g != nil {
		for _, m := range g.subs {
			if m.sharedSub == s {
				return maps.Clone(m.pending)
			}
		}
	}
	return nil
}

// pendingByKey returns the pending replies of the group's subscription with this key; a nil
// group has none.
func (g *group) pendingByKey(key string) iter.Seq[*Reply] {
	if g != nil {
		for _, m := range g.subs {
			if m.key == key {
				return maps.Values(m.pending)
			}
		}
	}
	return func(func(*Reply) bool) {}
}

// pendingBeside returns the pending replies of the group that are not pending in the other
// one, each once and in order; a nil group has none.
func (g *group) pendingBeside(other *group) []*Reply {
	if g == nil {
		return nil
	}
	pending := pendingOf(g.subs, nil)
	if len(pending) == 0 {
		return nil
	}
	theirs := pendingOf(other.subs, nil)
	return slices.DeleteFunc(pending, func(r *Reply) bool { return containsReply(theirs, r) })
}

// discard drops pending replies that the only client of the group has got already. They are
// given in order.
func (g *group) discard(replies []*Reply) {
	if g.clients > 1 || len(replies) == 0 {
		return
	}
	for _, m := range g.subs {
		maps.DeleteFunc(m.pending, func(_ string, r *Reply) bool { return containsReply(replies, r) })
	}
}

// flush returns the frames of the pending replies that a client loses when it goes on to the
// next group, each once and in order.
func (g *group) flush(next *group) (frames []engine.Frame) {
	for _, r := range g.pendingBeside(next) {
		frames = append(frames, r.Frame)
	}
	return frames
}

// orderMarks holds the highest order that was delivered of each order key.
type orderMarks map[string]int64

// stale reports whether a reply of the same key and a higher order was delivered.
func (o orderMarks) stale(r *Reply) bool {
	last, ok := o[r.OrderKey]
	return r.Ordered && ok && r.Order < last
}

// note records a reply's order.
func (o *orderMarks) note(r *Reply) {
	if r.Ordered {
		o.advance(r.OrderKey, r.Order)
	}
}

func (o *orderMarks) advance(key string, order int64) {
	if *o == nil {
		*o = orderMarks{}
	}
	if last, known := (*o)[key]; known && order > last || !known && len(*o) < maxThrottleWindows {
		(*o)[key] = order
	}
}
