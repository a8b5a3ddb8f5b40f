package hub

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/quota"
	"github.com/clu-ws/clu-ws/internal/unordered"
)

// Plain clients that hear everything follow [Hub.Plain]. Those with a view follow the log of a
// group of plain clients with the same view. A client follows its log as soon as its request is
// accepted, so the log is looked up on the engine's loops, which must not wait for the hub.

// plainGroups holds the groups of plain clients by their views.
type plainGroups struct {
	newLog func() Log

	// changed is set after list or gone have changed, until the matcher knows.
	changed atomic.Bool

	// mu guards the following fields and the fields of clients. It is not held while frames are
	// appended or sent, because the loops take it. A client's viewer changes with Hub.mu held, too.
	mu     sync.Mutex
	byView map[string]*plainGroup
	list   []*plainGroup // all of them; it is replaced, not changed
	gone   []*plainGroup // those without clients, whose views the matcher still has
	own    map[string][]*PlainClient
	shares quota.Table
}

// plainGroup is the plain clients with one view.
type plainGroup struct {
	view    *filter.View
	log     Log
	clients int
	address string // the address whose quota it uses

	// The following fields belong to Hub.Reply.
	seen     *viewUse
	ownAt    uint64 // the delivery of ownWants
	ownWants bool   // the view neither selects nor hides that reply
}

// PlainClient is a plain client and what it may hear. A nil one hears everything.
type PlainClient struct {
	hub     *Hub
	address string

	// The following fields are guarded by plainGroups.mu.
	viewer *Viewer
	group  *plainGroup // nil if it hears everything
	conn   Conn        // nil before it is open
	moved  bool        // its log changed before it was open
	left   bool
}

func newPlainGroups(newLog func() Log) plainGroups {
	return plainGroups{newLog: newLog, byView: map[string]*plainGroup{}, own: map[string][]*PlainClient{}, shares: quota.NewTable(maxGroups)}
}

// JoinPlain adds a plain client that may hear what the viewer says. It follows
// [PlainClient.Log] from when it is accepted; [PlainClient.Open] and [PlainClient.Leave] must be
// called when its connection opens and ends. It fails if the client's address has too many
// different views. It may be called on the engine's loops.
func (h *Hub) JoinPlain(v *Viewer, address string) (*PlainClient, error) {
	c := &PlainClient{hub: h, address: address, viewer: v}
	p := &h.plain
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	c.group, err = p.enter(v.view(), address, false)
	return c, err
}

// enter adds a client to the group of a view, and returns nil for the view of everything. mu is
// held.
func (p *plainGroups) enter(v *filter.View, address string, forced bool) (*plainGroup, error) {
	if v == nil {
		return nil, nil
	}
	g := p.byView[v.Key()]
	if g == nil {
		g = &plainGroup{view: v, address: address}
		if !p.shares.Take(address, 1, 0) {
			if !forced {
				return nil, p.shares.Full(address, "different views of plain clients", "try again later")
			}
			g.address = noAddress
		}
		g.log = p.newLog()
		p.byView[v.Key()] = g
		p.list = append(slices.Clone(p.list), g)
		p.changed.Store(true)
	}
	g.clients++
	return g, nil
}

// noAddress is the address of a group that uses no quota.
const noAddress = "\x00"

// exit removes a client from its group. mu is held.
func (p *plainGroups) exit(g *plainGroup) {
	if g == nil {
		return
	}
	if g.clients--; g.clients > 0 {
		return
	}
	delete(p.byView, g.view.Key())
	p.list = unordered.Remove(slices.Clone(p.list), g)
	p.gone = append(p.gone, g)
	p.changed.Store(true)
	if g.address != noAddress {
		p.shares.Give(g.address, 1)
	}
	g.log.Close()
}

// Log returns the log that the client follows.
func (c *PlainClient) Log() Log {
	c.hub.plain.mu.Lock()
	defer c.hub.plain.mu.Unlock()
	return c.log()
}

func (c *PlainClient) log() Log {
	if c.group == nil {
		return c.hub.Plain
	}
	return c.group.log
}

// Open is called when the client's connection is open.
func (c *PlainClient) Open(conn Conn) {
	if c == nil {
		return
	}
	p := &c.hub.plain
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.left {
		return
	}
	c.conn = conn
	p.addOwn(c)
	if c.moved {
		conn.Follow(c.log())
	}
}

// Leave is called when the client has disconnected. It may be called repeatedly, and of nil.
func (c *PlainClient) Leave() {
	if c == nil {
		return
	}
	p := &c.hub.plain
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.left {
		return
	}
	c.left = true
	p.removeOwn(c)
	p.exit(c.group)
	c.group = nil
}

// SetViewer changes what the client may hear. It never blocks. Replies that came before the change
// may still be on their way to the client.
func (c *PlainClient) SetViewer(v *Viewer) {
	h := c.hub
	h.queue.submitUrgent(func() {
		h.mu.Lock() // between two replies
		defer h.mu.Unlock()
		h.plain.mu.Lock()
		defer h.plain.mu.Unlock()
		c.setViewer(v)
	})
}

// setViewer is SetViewer with Hub.mu and plainGroups.mu held.
func (c *PlainClient) setViewer(v *Viewer) {
	if c.left {
		return
	}
	p, old := &c.hub.plain, c.group
	p.removeOwn(c)
	c.viewer = v
	p.addOwn(c)
	c.group, _ = p.enter(v.view(), c.address, true) // a client must not keep its former view
	if p.exit(old); c.group == old {
		return
	}
	if c.conn == nil {
		c.moved = true
		return
	}
	c.conn.Follow(c.log())
}

// addOwn lists an open client that hears replies to its own commands beside its view. mu is held.
func (p *plainGroups) addOwn(c *PlainClient) {
	if v := c.viewer; c.conn != nil && v.ownBeside() && v.Self != "" {
		p.own[v.Self] = append(p.own[v.Self], c)
	}
}

func (p *plainGroups) removeOwn(c *PlainClient) {
	v := c.viewer
	if c.conn == nil || !v.ownBeside() {
		return
	}
	if left := unordered.Remove(p.own[v.Self], c); len(left) > 0 {
		p.own[v.Self] = left
	} else {
		delete(p.own, v.Self)
	}
}

// matchPlain makes the matcher know the groups of plain clients, and evaluates their views on its
// current reply. Those that it has evaluated already cost nothing.
func (x *matcher) matchPlain(p *plainGroups, r *Reply) {
	if p.changed.Load() {
		p.mu.Lock()
		p.changed.Store(false)
		list, gone := p.list, p.gone
		p.gone = nil
		p.mu.Unlock()
		x.plain = list
		for _, g := range list {
			if g.seen == nil {
				g.seen = x.useView(g.view)
			}
		}
		for _, g := range gone {
			x.dropView(g.seen)
		}
		if x.keywords > 0 && !r.read {
			r.readKeywords()
		}
		x.memo.Look(&r.Reply)
	}
	for _, g := range x.plain {
		g.seen.selects()
	}
}

// deliverPlain appends a reply to the logs of the plain clients that may hear it. mu is held.
func (h *Hub) deliverPlain(d *delivery) {
	wait := h.batch
	if d.urgent() {
		wait = 0
	}
	h.Plain.AppendWithin(d.plain, wait)
	h.matcher.matchPlain(&h.plain, d.Reply)
	for _, g := range h.matcher.plain {
		if g.seen.selects() {
			g.log.AppendWithin(d.plain, wait)
		}
	}
	if d.self != "" {
		h.deliverPlainOwn(d)
	}
}

// deliverPlainOwn sends a reply to the plain clients that hear it only because it answers a command
// of their own. mu is held.
func (h *Hub) deliverPlainOwn(d *delivery) {
	p := &h.plain
	p.mu.Lock()
	clients := slices.Clone(p.own[d.self])
	groups := make([]*plainGroup, len(clients))
	for i, c := range clients {
		groups[i] = c.group
	}
	p.mu.Unlock()
	for i, c := range clients {
		g := groups[i]
		if g.ownAt != h.deliveries {
			g.ownAt, g.ownWants = h.deliveries, !g.seen.selects() && !g.view.Hides(&d.Reply.Reply)
		}
		if g.ownWants {
			c.conn.SendInOrder(d.plain)
		}
	}
}
