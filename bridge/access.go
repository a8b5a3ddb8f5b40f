package bridge

import (
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// decide decides whether a client may do something. It is asked before everything that a client
// does, on every port and by every message, beside hearing replies, which its view decides
// (package filter). Nothing that is refused reaches the broker, the registry of the commands in
// flight or another client.
func (b *Bridge) decide(c *client, r access.Request) access.Decision {
	p, no := b.principalNow(c)
	switch {
	case no != nil:
		return access.Decision{Rule: "no principal", Reason: no.Reason}
	case p != nil:
		return p.Decide(r)
	case b.cfg.Access != nil: // such a client must not have come so far
		return access.Decision{Rule: "no principal", Reason: "you have not said who you are; connect again with a credential"}
	}
	return b.cfg.decideOpen(r)
}

// decideOpen decides without access control: everything is allowed unless a flag turns it
// off.
func (cfg *Config) decideOpen(r access.Request) access.Decision {
	if r.Door == access.ListClients && !cfg.ListClients {
		return access.Decision{Reason: "this bridge does not tell who is connected; start it with --list-clients"}
	}
	return access.Decision{Allowed: true}
}

// mayPublish decides whether a client may publish to a room. Without access control no
// client may, by a message: the exchange belongs to another program, which relies on the broker's rights.
func (b *Bridge) mayPublish(c *client, room string) access.Decision {
	if b.cfg.Access == nil {
		return access.Decision{Reason: "no client may publish to a room unless access control grants it; publish by POST /api/publish, or grant \"publish\" in the section access of the configuration file"}
	}
	return b.decide(c, access.Request{Door: access.PublishToRoom, Room: room})
}

// mayEnter decides whether a client may hear a room. Without access control, rooms of a dialect are for
// its own clients: their backend decides who they are.
func (b *Bridge) mayEnter(c *client, room string) access.Decision {
	if d := b.dialectOf(room); d != nil && b.cfg.Access == nil {
		return access.Decision{Reason: "the rooms at and below " + d.Rooms + " are for the clients of " + d.Path + "; a role of the section access of the configuration file may open them to others"}
	}
	return b.decide(c, access.Request{Door: access.EnterRoom, Room: room})
}

// forbidden returns the error of what a decision refuses.
func forbidden(d access.Decision) *protocol.Rejection {
	return &protocol.Rejection{Code: protocol.CodeForbidden, Message: d.Reason}
}

// user returns the name of a client's principal, or "".
func (c *client) user() string {
	if p := c.principal(); p != nil {
		return p.Name
	}
	return ""
}

// principal returns who a client is. It is nil without access control, and for a client that has
// not said who it is; see [Bridge.decide].
func (c *client) principal() *access.Principal {
	if c.extra == nil {
		return nil
	}
	return c.extra.principal.Load()
}

// setPrincipal sets who a client is. It is first called while the client is being accepted;
// later calls replace the principal, on any goroutine.
func (c *client) setPrincipal(p *access.Principal) { c.addExtra().principal.Store(p) }
