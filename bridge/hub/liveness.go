package hub

import (
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// Liveness returns what is known of all actors that have sent replies, in no order.
func (h *Hub) Liveness() []snapshot.Liveness {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.values.Liveness()
}

// SetConsumer sets whether somebody takes an actor's commands, and tells those that asked for notices
// if that has changed.
func (h *Hub) SetConsumer(actor string, is snapshot.Presence) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.values.SetConsumer(actor, is) && !h.loading {
		h.noticeActor(actor)
	}
}

// noticeActor tells those that asked for notices, and may hear the actor's last broadcast, how alive
// it is. mu is held.
func (h *Hub) noticeActor(actor string) {
	if len(h.noticed) == 0 {
		return
	}
	l, e, ok := h.values.LivenessOf(actor)
	if !ok {
		return
	}
	m := protocol.Actor{Op: "actor", Name: l.Name}
	if l.Interval > 0 {
		ms := l.Interval.Milliseconds()
		m.IntervalMS = &ms
	}
	if l.Consumer != snapshot.Unknown {
		present := l.Consumer == snapshot.Present
		m.Consumer = &present
	}
	r := filter.Reply{
		Sender: e.Actor, RoutingKey: e.RoutingKey, Code: e.Code, CommandID: e.CommandID, Commander: e.Commander,
		Internal: e.Internal, Keywords: e.Keywords,
	}
	h.noticeLocked(protocol.NoticeActors, protocol.Encode(m), func(v *Viewer) bool { return (!e.Cut || v.view() == nil) && v.mayKnow(&r, e.Known) })
}
