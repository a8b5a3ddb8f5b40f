package hub

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/unordered"
)

// group is a set of clients with the same subscriptions, batch times included. They follow
// one log. Its fields are guarded by Hub.mu.
type group struct {
	key     string
	log     Log
	subs    []*groupSub
	clients int
	address string // the address whose quota it uses
	weight  int    // how many groups it counts as
	terse   bool   // its clients do not hear why the broker is not up
	notices Notices
	viewer  *Viewer // what its clients may hear, if it has notices; then that is the same for all

	ownAt    uint64 // the delivery of ownWants
	ownWants bool   // see [group.wantsOwn]

	target int // 1 + its place in Hub.fanout while a frame is delivered, else 0
}

// groupSub is a shared subscription in a group.
type groupSub struct {
	*sharedSub
	group   *group
	pending map[string]*Reply // by sender: what the group gets at the end of the throttle window
	batch   time.Duration     // how long its replies may wait for others
}

// groupKey returns the key of a set of subscriptions. It does not depend on their order.
func groupKey(keys []string) string {
	slices.Sort(keys)
	return strings.Join(slices.Compact(keys), "\n")
}

// keysOf returns the keys of a client's subscriptions, each with its batch time, and what else
// distinguishes what the client gets.
func keysOf(subs []subscription, s *Session) []string {
	keys := make([]string, 0, len(subs)+1)
	for i := range subs {
		spec := &subs[i].spec
		key := spec.key(s)
		if spec.Batch > 0 {
			key += " batch " + strconv.FormatInt(int64(spec.Batch), 10)
		}
		keys = append(keys, key)
	}
	if !s.viewer.Load().detailed() {
		keys = append(keys, "without reasons")
	}
	return keys
}

// join adds a client to the group of these subscriptions. A new group takes over the pending
// replies of the client's former group for the same subscriptions. join fails if the client's
// address has no quota for another group. mu is held.
func (h *Hub) join(subs []subscription, s *Session) (*group, error) {
	key := groupKey(keysOf(subs, s))
	g := h.groups[key]
	if g == nil {
		size := weight(subs)
		if !h.takeQuota(s, size) {
			return nil, h.shares.Full(s.address, "different sets of subscriptions", "ask for what others ask for")
		}
		g = h.newGroup(key, subs, s, size)
	}
	g.clients++
	return g, nil
}

// joinAnyway is join for a client whose grants have changed, which must not stay in its former
// group. A group for which there is no quota is made without.
func (h *Hub) joinAnyway(subs []subscription, s *Session) *group {
	g, err := h.join(subs, s)
	if err != nil {
		g = h.newGroup(groupKey(keysOf(subs, s)), subs, s, 0)
		g.clients++
	}
	return g
}

// takeQuota takes quota for a group. The quota of the client's former group counts as free if the
// client is alone in it.
func (h *Hub) takeQuota(s *Session, size int) bool {
	had := 0
	if old := s.group; old != nil && old.clients == 1 && old.address == s.address {
		had = old.weight
	}
	return h.shares.Take(s.address, size, had)
}

// newGroup makes a group that uses this much of the quota of the client's address.
func (h *Hub) newGroup(key string, subs []subscription, s *Session, size int) *group {
	g := &group{key: key, log: h.newLog(), address: s.address, weight: size, terse: !s.viewer.Load().detailed()}
	h.groups[key] = g
	for _, sub := range subs {
		g.notices |= sub.spec.Notices
		shared := h.subs.acquire(sub.spec, s)
		if at := slices.IndexFunc(shared.groups, func(m *groupSub) bool { return m.group == g }); at >= 0 {
			shared.groups[at].batch = min(shared.groups[at].batch, sub.spec.Batch)
			continue
		}
		m := &groupSub{sharedSub: shared, group: g, pending: maps.Clone(s.group.pendingWithKey(shared.key)), batch: sub.spec.Batch}
		shared.groups = append(shared.groups, m)
		g.subs = append(g.subs, m)
	}
	if g.notices != 0 {
		g.viewer = s.viewer.Load()
		h.noticed[g] = struct{}{}
		if g.notices&protocol.NoticeCommands != 0 {
			h.commandGroups.Add(1)
		}
	}
	return g
}

// leave removes a client, which disconnects or has joined another group, from its group. The
// last client's group is dropped, with its pending replies, and with the subscriptions, and
// their throttle windows, that no other group has. mu is held.
func (h *Hub) leave(g *group) {
	if g.clients--; g.clients > 0 {
		return
	}
	delete(h.groups, g.key)
	delete(h.noticed, g)
	if g.notices&protocol.NoticeCommands != 0 {
		h.commandGroups.Add(-1)
	}
	h.shares.Give(g.address, g.weight)
	for _, m := range g.subs {
		m.sharedSub.groups = unordered.Remove(m.sharedSub.groups, m)
		h.dropUnused(m.sharedSub)
	}
	g.log.Close()
}

// dropUnused drops a subscription that no group has any longer.
func (h *Hub) dropUnused(s *sharedSub) {
	if len(s.groups) == 0 {
		h.closeWindows(s)
		h.subs.drop(s)
	}
}
