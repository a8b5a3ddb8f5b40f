package engine

import (
	"container/heap"
	"time"
)

// A frame that may wait ([Log.AppendWithin]) is appended to its ring, but starts no pass
// over the followers before it is due. Frames that come apart leave in one write, without a
// timer for any connection: a loop keeps the rings with delayed frames in a heap, and its
// wait ends when the first is due. A delayed frame does not wake the loop either, but stays
// in the mailbox until the loop wakes up.

// push appends a frame to a ring. due is when it must leave, 0 for at once. All delayed
// frames of a ring leave with the one that is due first, and at once when they fill a
// write. Nothing is delayed on a ring without followers.
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

// setDue sets when a ring's delayed frames must leave, 0 for at once.
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

// release marks the rings whose frames are due.
func (l *loop) release(now time.Duration) {
	for len(l.dueRings) > 0 && l.dueRings[0].due <= now {
		r := l.dueRings[0]
		l.setDue(r, 0)
		if r.to < r.head { // else they have left with another frame
			l.markDirty(r)
		}
	}
}

// releaseDue releases what is due now. It reads the clock only if something is delayed.
func (l *loop) releaseDue() {
	if len(l.dueRings) > 0 {
		l.release(l.engine.elapsed())
	}
}

// untilDue returns how long the loop may wait: until the next tick, or until the first
// delayed frame is due. It is never 0.
func (l *loop) untilDue(now time.Duration) time.Duration {
	wait := tickLength - now%tickLength
	if len(l.dueRings) > 0 {
		wait = min(wait, l.dueRings[0].due-now)
	}
	return max(wait, 1)
}

// queueDelayed queues the delayed frames of a connection's log ahead of a direct frame: a
// delay must not change the order in which a client receives frames. Frames of the current
// pass come first; only while the socket is full may the direct frame overtake them.
func (l *loop) queueDelayed(c *conn) {
	r := c.ring
	if r == nil || !r.delayed() || c.cursor < r.to && (c.blocked || c.cursor < r.tail) {
		return
	}
	if l.queueLog(c) {
		l.watchSlow(c)
	}
}

// dueHeap orders the rings with delayed frames by due time.
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
