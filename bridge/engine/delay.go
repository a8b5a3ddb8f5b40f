package engine

import (
	"container/heap"
	"time"
)

// A frame that may wait ([Log.AppendWithin]) is held in its ring: it is there for all
// that a ring does, but no pass begins for it before it is due. So frames that come
// apart leave in one write, and it costs no timer for any connection: a loop keeps the
// rings that hold something in a heap, and its wait ends when the first is due. It is not
// woken for a frame that may wait until then: that stays in the mailbox.

// push appends a frame to a ring. due is when it must leave, 0 for at once. What the
// ring holds leaves with the first of its frames, and at once when it is as much as one
// write brings to a connection. For nobody nothing is held.
func (l *loop) push(r *ring, f Frame, due time.Duration) {
	if r.to < r.head {
		due = min(due, r.due)
	}
	r.push(f)
	if r.unswept >= min(chunkSize, r.limit/4) || len(r.followers) == 0 {
		due = 0
	}
	l.setDue(r, due)
	l.markDirty(r)
	l.activate(r)
}

// setDue says when what a ring holds must leave, 0 for at once.
func (l *loop) setDue(r *ring, due time.Duration) {
	was := r.due
	r.due = due
	switch {
	case due == was:
	case due == 0:
		heap.Remove(&l.dueRings, r.heapIndex)
	case was == 0:
		heap.Push(&l.dueRings, r)
	default:
		heap.Fix(&l.dueRings, r.heapIndex)
	}
}

// release lets go of what is due.
func (l *loop) release(now time.Duration) {
	for len(l.dueRings) > 0 && l.dueRings[0].due <= now {
		r := l.dueRings[0]
		l.setDue(r, 0)
		if r.to < r.head { // else it has left with something else
			l.markDirty(r)
		}
	}
}

// releaseDue is release at this moment. The clock is read only if something is held.
func (l *loop) releaseDue() {
	if len(l.dueRings) > 0 {
		l.release(l.engine.elapsed())
	}
}

// untilDue is how long the loop may wait: to the next tick, or until the first held frame
// is due. It is never 0.
func (l *loop) untilDue(now time.Duration) time.Duration {
	wait := tickLength - now%tickLength
	if len(l.dueRings) > 0 {
		wait = min(wait, l.dueRings[0].due-now)
	}
	return max(wait, 1)
}

// queueDelayed lends a connection what its log holds, in front of what it is sent: a wait
// must not change the order in which a client hears things. What the pass under way has
// not brought to it yet comes first; only where the socket is full may what it is sent
// overtake that.
func (l *loop) queueDelayed(c *conn) {
	r := c.ring
	if r == nil || !r.delayed() || c.cursor < r.to && (c.blocked || c.cursor < r.tail) {
		return
	}
	if l.queueLog(c) {
		l.watchSlow(c)
	}
}

// dueHeap is a heap of the rings that hold something; the one that is due first is first.
type dueHeap []*ring

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].due < h[j].due }

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapIndex, h[j].heapIndex = i, j
}

func (h *dueHeap) Push(x any) {
	r := x.(*ring)
	r.heapIndex = len(*h)
	*h = append(*h, r)
}

func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	r := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return r
}
