package hub

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/internal/unordered"
)

// group is the clients with the same set of subscriptions, batches included. They follow
// one log.
type group struct {
	key     string
	log     Log
	subs    []*groupSub
	clients int
	address string // the address whose quota it takes
	weight  int    // how many places of it

	// The following fields are of the reply that is being delivered.
	mark    uint64        // identifies it
	matched []*groupSub   // the subscriptions whose filters match
	now     bool          // one of them does not throttle it
	wait    time.Duration // the shortest batch of those that do not
}

// groupSub is a shared subscription in a group.
type groupSub struct {
	*sharedSub
	group   *group
	pending map[string]*Reply // by sender: what the group gets at the end of the throttle window
	batch   time.Duration     // how long its replies may wait
}

// groupKey returns the key of a set of subscriptions, whatever their order.
func groupKey(keys []string) string {
	slices.Sort(keys)
	return strings.Join(slices.Compact(keys), "\n")
}

// keysOf returns the keys of a client's subscriptions, each with its batch.
func keysOf(subs []subscription, s *Session) []string {
	keys := make([]string, len(subs))
	for i := range subs {
		w := &subs[i].spec
		keys[i] = w.key(s)
		if w.Batch > 0 {
			keys[i] += " batch " + strconv.FormatInt(int64(w.Batch), 10)
		}
	}
	return keys
}

// deliver delivers a reply to every group with a subscription that the matcher found. mu is
// held.
func (h *Hub) deliver(r *Reply) {
	h.mark++
	h.matched = h.matched[:0]
	for _, s := range h.matcher.wanted {
		if len(s.groups) == 0 || s.Ordered && s.order.stale(r) {
			continue // no group has the subscription any more, or the reply is out of order
		}
		if s.Ordered {
			s.order.note(r)
		}
		now := s.Throttle == 0 || h.opensWindow(s, r.Sender)
		for _, m := range s.groups {
			h.match(m, now)
		}
	}
	for _, g := range h.matched {
		h.deliverTo(g, r)
	}
}

// match notes that a group wants the reply, and whether now.
func (h *Hub) match(m *groupSub, now bool) {
	g := m.group
	if g.mark != h.mark {
		g.mark, g.matched, g.now, g.wait = h.mark, g.matched[:0], false, math.MaxInt64
		h.matched = append(h.matched, g)
	}
	g.matched = append(g.matched, m)
	if now {
		g.now, g.wait = true, min(g.wait, m.batch)
	}
}

// deliverTo delivers the reply to a group, now or at the end of a throttle window. Older pending
// replies of the same sender go out before an urgent one, which often ends what they
// report; any other reply replaces them.
func (h *Hub) deliverTo(g *group, r *Reply) {
	if r.urgent() {
		g.now, g.wait = true, 0
		for _, older := range pendingOf(g.matched, &r.Sender) {
			g.release(older)
		}
	}
	for _, m := range g.matched {
		switch {
		case m.Throttle == 0:
		case g.now:
			delete(m.pending, r.Sender)
		default:
			m.setPending(r)
		}
	}
	if g.now {
		g.log.AppendWithin(r.Frame, g.wait)
	}
}

// join adds a client to the group of these subscriptions. The error is that its address
// has no quota for another group. A new group takes over the pending throttled replies of
// the client's former group for the same subscriptions. mu is held.
func (h *Hub) join(subs []subscription, s *Session) (*group, error) {
	key := groupKey(keysOf(subs, s))
	g := h.groups[key]
	if g == nil {
		var err error
		if g, err = h.newGroup(key, subs, s); err != nil {
			return nil, err
		}
	}
	g.clients++
	return g, nil
}

// newGroup takes quota for a group. What the client's former group has counts as free if
// the client is alone in it.
func (h *Hub) newGroup(key string, subs []subscription, s *Session) (*group, error) {
	g := &group{key: key, address: s.address, weight: weight(subs)}
	had := 0
	if old := s.group; old != nil && old.clients == 1 && old.address == s.address {
		had = old.weight
	}
	if !h.shares.Take(g.address, g.weight, had) {
		return nil, h.shares.Full(s.address, "different sets of subscriptions", "ask for what others ask for")
	}
	g.log = h.newLog()
	h.groups[key] = g
	for _, sub := range subs {
		sel := h.subs.acquire(sub.spec, s)
		if at := slices.IndexFunc(sel.groups, func(m *groupSub) bool { return m.group == g }); at >= 0 {
			sel.groups[at].batch = min(sel.groups[at].batch, sub.spec.Batch)
			continue
		}
		m := &groupSub{sharedSub: sel, group: g, pending: s.group.pendingBy(sel), batch: sub.spec.Batch}
		sel.groups = append(sel.groups, m)
		g.subs = append(g.subs, m)
	}
	return g, nil
}

// leave takes a client out of its group, and drops the subscriptions that no group has any
// more. mu is held.
func (h *Hub) leave(g *group) {
	if g.clients--; g.clients > 0 {
		return
	}
	delete(h.groups, g.key)
	h.shares.Give(g.address, g.weight)
	for _, m := range g.subs {
		m.sharedSub.groups = unordered.Remove(m.sharedSub.groups, m)
		h.dropUnused(m.sharedSub)
	}
	g.log.Close()
}

// dropUnused drops a subscription that no group has any more.
func (h *Hub) dropUnused(s *sharedSub) {
	if len(s.groups) == 0 {
		h.closeWindows(s)
		h.subs.drop(s)
	}
}

// afterFunc is [time.AfterFunc], but for its result.
func afterFunc(d time.Duration, f func()) (stop func() bool) { return time.AfterFunc(d, f).Stop }

// Broadcast delivers a message for a room to the v1 clients that subscribed to it or to a
// room below it, once to each.
func (h *Hub) Broadcast(path string, frame engine.Frame) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mark++
	h.matched = h.matched[:0]
	for _, s := range h.subs.byRoom[path] {
		for _, m := range s.groups {
			h.match(m, true)
		}
	}
	for _, g := range h.matched {
		g.log.AppendWithin(frame, g.wait)
	}
}
