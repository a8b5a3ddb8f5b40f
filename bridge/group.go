package bridge

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// group is all clients that have the same wishes, and can wait as long for what they
// get. They share a log: what one of them gets, all get.
type group struct {
	key     string
	log     *engine.Log
	members []*member
	clients int
	address string // the address whose share it takes
	weight  int    // how much of it

	// Of the reply that is being delivered.
	turn    uint64        // which one it is
	matched []*member     // whose filters want it
	now     bool          // one of them does not hold it back
	wait    time.Duration // for others to go with it: the shortest batch of those
}

// member is a selection in a group.
type member struct {
	*selection
	group *group
	held  map[string]*reply // by sender: what the group gets at the end of the selection's window
	batch time.Duration     // how long what it selects may wait
}

// groupKey is the same for the same selections in any order.
func groupKey(keys []string) string {
	slices.Sort(keys)
	return strings.Join(slices.Compact(keys), "\n")
}

// keysOf are the keys of the selections that a client wishes, each with its batch.
func keysOf(subs []subscription, s *session) []string {
	keys := make([]string, len(subs))
	for i := range subs {
		w := &subs[i].wish
		keys[i] = w.selectionKey(s)
		if w.batch > 0 {
			keys[i] += " batch " + strconv.FormatInt(int64(w.batch), 10)
		}
	}
	return keys
}

// deliver delivers a reply to every group that the index has found. mu is held.
func (h *hub) deliver(r *reply) {
	h.turn++
	h.hits = h.hits[:0]
	for _, s := range h.index.wanted {
		if len(s.members) == 0 || s.ordered && s.orders.stale(r) {
			continue // no group has it any more, or it is too old
		}
		if s.ordered {
			s.orders.note(r)
		}
		now := s.throttle == 0 || h.first(s, r.Sender)
		for _, m := range s.members {
			h.hit(m, now)
		}
	}
	for _, g := range h.hits {
		h.give(g, r)
	}
}

// hit notes that a group wants the reply that is being delivered, and whether now.
func (h *hub) hit(m *member, now bool) {
	g := m.group
	if g.turn != h.turn {
		g.turn, g.matched, g.now, g.wait = h.turn, g.matched[:0], false, math.MaxInt64
		h.hits = append(h.hits, g)
	}
	g.matched = append(g.matched, m)
	if now {
		g.now, g.wait = true, min(g.wait, m.batch)
	}
}

// give delivers the reply to a group, now or at the end of a window. What was held
// of its sender is older: it goes out before an urgent reply, which often ends what
// it told of; in place of any other one it is left out.
func (h *hub) give(g *group, r *reply) {
	if r.urgent() {
		g.now, g.wait = true, 0
		for _, older := range heldOf(g.matched, &r.Sender) {
			g.release(older)
		}
	}
	for _, m := range g.matched {
		switch {
		case m.throttle == 0:
		case g.now:
			delete(m.held, r.Sender)
		default:
			m.hold(r)
		}
	}
	if g.now {
		g.log.AppendWithin(r.frame, g.wait)
	}
}

// enter adds a client to the group of these selections. It is an error if its address
// has no room for another group. A new group takes over the pending throttled replies
// of the client's former group for the same selections. mu is held.
func (h *hub) enter(subs []subscription, s *session) (*group, error) {
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

// newGroup takes room for a group. The room of the client's former group counts as free
// if the client is alone in it.
func (h *hub) newGroup(key string, subs []subscription, s *session) (*group, error) {
	g := &group{key: key, address: s.address, weight: weight(subs)}
	had := 0
	if old := s.group; old != nil && old.clients == 1 && old.address == s.address {
		had = old.weight
	}
	if !h.shares.take(g.address, g.weight, had) {
		return nil, h.shares.errFull(s.address, "different sets of subscriptions", "ask for what others ask for")
	}
	g.log = h.newLog()
	h.groups[key] = g
	for _, sub := range subs {
		sel := h.shelf.take(sub.wish, s)
		if at := slices.IndexFunc(sel.members, func(m *member) bool { return m.group == g }); at >= 0 {
			sel.members[at].batch = min(sel.members[at].batch, sub.wish.batch)
			continue
		}
		m := &member{selection: sel, group: g, held: s.group.heldBy(sel), batch: sub.wish.batch}
		sel.members = append(sel.members, m)
		g.members = append(g.members, m)
	}
	return g, nil
}

// leave takes a client out of its group, and forgets what nobody wants any more.
// mu is held.
func (h *hub) leave(g *group) {
	if g.clients--; g.clients > 0 {
		return
	}
	delete(h.groups, g.key)
	h.shares.give(g.address, g.weight)
	for _, m := range g.members {
		m.selection.members = without(m.selection.members, m)
		h.letGo(m.selection)
	}
	g.log.Close()
}

func (h *hub) letGo(s *selection) {
	if len(s.members) == 0 {
		h.shut(s)
		h.shelf.drop(s)
	}
}

// afterFunc is time.AfterFunc, of which only the timer's Stop is wanted.
func afterFunc(d time.Duration, f func()) (stop func() bool) { return time.AfterFunc(d, f).Stop }
