package hub

import (
	"cmp"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// A reply that a throttle window holds back is pending in each group that wants it: at most
// one for each sender and subscription, the latest. It goes out at the end of the window,
// before an urgent reply, or when its client changes groups. All of the following functions
// run with Hub.mu held.

// setPending holds a reply back until the end of the window, in place of an older one.
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

// discard drops pending replies that the group's only client already has. The list is in
// order.
func (g *group) discard(replies []*Reply) {
	if g.clients > 1 || len(replies) == 0 {
		return
	}
	for _, m := range g.subs {
		maps.DeleteFunc(m.pending, func(_ string, r *Reply) bool { return containsReply(replies, r) })
	}
}

// flush returns the frames of the pending replies that a client would lose by moving to the
// next group, each once and in order.
func (g *group) flush(next *group) (frames []engine.Frame) {
	for _, r := range g.pendingBeside(next) {
		frames = append(frames, r.Frame)
	}
	return frames
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
