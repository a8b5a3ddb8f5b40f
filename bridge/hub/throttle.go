package hub

import (
	"cmp"
	"container/heap"
	"time"
)

// maxThrottleWindows bounds the senders that one subscription throttles. Replies of further
// senders are delivered at once.
const maxThrottleWindows = 10_000

// throttleWindow is a span of time in which a shared subscription delivers no further reply
// of a sender. The latest reply that comes in it is pending in each group until it ends
// (pending.go).
type throttleWindow struct {
	sub       *sharedSub
	sender    string
	ends      time.Time
	opened    uint64 // orders those that end together
	place     int    // in Hub.windows
	delivered bool   // a pending reply of it went out, so another window follows
}

// throttleWindows is a heap of all open windows; the one that ends first is first. They share
// one timer: ten thousand timers would all wait for the hub's lock at the same moment.
type throttleWindows struct {
	open       []*throttleWindow
	lastOpened uint64
	firesAt    time.Time
	stop       func() bool // stops the timer; nil if none runs
}

// windowsAtOnce is how many windows end before the hub's lock is released.
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

// openWindow begins to throttle a sender. mu is held.
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

// setWindowTimer sets the timer to the end of the first window. mu is held.
func (h *Hub) setWindowTimer() {
	w := &h.windows
	if len(w.open) == 0 || w.stop != nil && !w.open[0].ends.Before(w.firesAt) {
		return // firing early does no harm
	}
	if w.stop != nil {
		w.stop()
	}
	w.firesAt = w.open[0].ends
	w.stop = h.after(max(0, w.firesAt.Sub(h.now())), h.endWindows)
}

// endWindows ends the windows that are due. If there are many, the timer fires again for the
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

// closeWindow ends a window. Each group gets its pending reply, together with those of its
// other windows of the sender that end by then, in order. If there was one, another window
// opens. mu is held.
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
