package hub

import (
	"math"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// fanout collects the groups that want one frame, and how each of them wants it. Its memory
// is reused for the next frame.
type fanout struct{ targets []target }

// target is a group that wants the frame.
type target struct {
	group *group
	subs  []*groupSub   // the group's subscriptions that select the frame
	now   bool          // one of them does not throttle it
	wait  time.Duration // the shortest batch time of those that do not
}

// add notes that a group's subscription selects the frame. now is false if the subscription
// throttles it.
func (f *fanout) add(sub *groupSub, now bool) {
	t := f.target(sub.group)
	t.subs = append(t.subs, sub)
	if now {
		t.now, t.wait = true, min(t.wait, sub.batch)
	}
}

// target returns the target of a group, adding one if the group has none.
func (f *fanout) target(g *group) *target {
	if g.target > 0 {
		return &f.targets[g.target-1]
	}
	n := len(f.targets)
	if n < cap(f.targets) {
		f.targets = f.targets[:n+1]
	} else {
		f.targets = append(f.targets, target{})
	}
	t := &f.targets[n]
	t.group, t.now, t.wait = g, false, math.MaxInt64
	g.target = n + 1
	return t
}

// each calls do for every target and empties the fan-out.
func (f *fanout) each(do func(t *target)) {
	for i := range f.targets {
		t := &f.targets[i]
		do(t)
		clear(t.subs)
		t.group.target = 0
		t.group, t.subs = nil, t.subs[:0]
	}
	f.targets = f.targets[:0]
}

// deliverToGroups delivers a reply to every group with a subscription that the matcher
// found. mu is held.
func (h *Hub) deliverToGroups(r *Reply) {
	for _, s := range h.matcher.wanted {
		if len(s.groups) == 0 || s.Ordered && s.order.stale(r) {
			continue // no group has the subscription any more, or the reply is out of order
		}
		if s.Ordered {
			s.order.note(r)
		}
		now := s.Throttle == 0 || h.opensWindow(s, r.Sender)
		for _, m := range s.groups {
			h.fanout.add(m, now)
		}
	}
	h.fanout.each(func(t *target) { t.deliver(r) })
}

// deliver delivers the reply to the group, now or at the end of a throttle window. Before an
// urgent reply, which often ends a command, pending replies of the same sender go out; any
// other reply replaces them.
func (t *target) deliver(r *Reply) {
	if r.urgent() {
		t.now, t.wait = true, 0
		for _, older := range pendingOf(t.subs, &r.Sender) {
			t.group.release(older)
		}
	}
	for _, m := range t.subs {
		switch {
		case m.Throttle == 0:
		case t.now:
			delete(m.pending, r.Sender)
		default:
			m.setPending(r)
		}
	}
	if t.now {
		t.group.log.AppendWithin(r.Frame, t.wait)
	}
}

// Broadcast delivers a message for a room to the v1 clients that subscribed to it or to a
// room below it, once to each.
func (h *Hub) Broadcast(path string, frame engine.Frame) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.subs.byRoom.At(path) {
		for _, m := range s.groups {
			h.fanout.add(m, true)
		}
	}
	h.fanout.each(func(t *target) { t.group.log.AppendWithin(frame, t.wait) })
}
