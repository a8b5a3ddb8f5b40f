package hub

import "github.com/clu-ws/clu-ws/internal/unordered"

// A client whose view does not select a reply hears it nevertheless if it answers one of its
// own commands, its grants say so ([Viewer.Own]), no hide filter selects it, and one of its
// subscriptions asks for it. Such replies go to the client directly. So clients with the same
// grants and subscriptions share a group, whatever their names.
//
// They are delivered at once: neither throttled nor left out for their order. Before one of them,
// as before an urgent reply, the pending replies of its sender go out, so that an older value
// never follows a newer one.

// ownSessions are the sessions that hear replies to their own commands beside their views, by
// [Viewer.Self].
type ownSessions map[string][]*Session

func (o ownSessions) add(v *Viewer, s *Session) {
	if v.ownBeside() && v.Self != "" {
		o[v.Self] = append(o[v.Self], s)
	}
}

func (o ownSessions) remove(v *Viewer, s *Session) {
	if !v.ownBeside() {
		return
	}
	if left := unordered.Remove(o[v.Self], s); len(left) > 0 {
		o[v.Self] = left
	} else {
		delete(o, v.Self)
	}
}

// deliverOwn delivers a reply to the sessions that hear it only because it answers a command of
// their own. mu is held.
func (h *Hub) deliverOwn(d *delivery) {
	if d.self == "" {
		return
	}
	for _, s := range h.selves[d.self] {
		g := s.group
		if g == nil || !g.wantsOwn(d, h.deliveries) {
			continue
		}
		for _, older := range pendingOf(g.subs, &d.Sender) {
			g.release(older)
		}
		s.conn.SendInOrder(d.Frame)
	}
}

// wantsOwn reports whether one of the group's subscriptions selects a reply that the view of its
// clients does not select, and does not hide. at is the number of the delivery: it is evaluated once
// for all sessions of the group.
func (g *group) wantsOwn(d *delivery, at uint64) bool {
	if g.ownAt == at {
		return g.ownWants
	}
	g.ownAt, g.ownWants = at, false
	for _, m := range g.subs {
		if m.view == nil {
			continue // a subscription to rooms alone
		}
		if m.seen.selects() || m.view.Hides(&d.Reply.Reply) {
			return false // the view is the same for all
		}
		mine := m.owner != nil && m.owner == d.command.owner
		g.ownWants = g.ownWants || m.Filter.MatchMine(&d.Reply.Reply, mine)
	}
	return g.ownWants
}
