package hub

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// A reply that a throttle window holds back is pending in each group that wants it: at most
// one for each sender and subscription, the latest. All of the following functions run with
// Hub.mu held. The pending reply is
//
//   - delivered at the end of the window, or before an urgent reply of the sender ([group.release]);
//   - handed on to the next group when a client changes groups, or sent to the client if it is
//     not pending there ([Hub.join], [group.flush]);
//   - left out of a replay if it still comes, or replayed and discarded ([replay.selectMissed]);
//   - replaced by a newer reply of the sender;
//   - lost with the group when the last client disconnects ([Hub.leave]); the history has it for
//     a client that resumes behind an older reply.

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

// pendingWithKey returns the pending replies, by sender, of the group's subscription with this
// key; a nil group has none.
func (g *group) pendingWithKey(key string) map[string]*Reply {
	if g != nil {
		for _, m := range g.subs {
			if m.key == key {
				return m.pending
			}
		}
	}
	return nil
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
// next group, and may still hear, each once and in order.
func (g *group) flush(next *group, v *Viewer) (frames []engine.Frame) {
	for _, r := range g.pendingBeside(next) {
		if v.heard(r) {
			frames = append(frames, r.Frame)
		}
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
