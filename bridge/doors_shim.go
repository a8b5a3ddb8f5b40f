package bridge

import (
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
)

func (b *Bridge) decide(c *client, r access.Request) access.Decision {
	if p := c.principal(); p != nil {
		return p.Decide(r)
	}
	return access.Decision{Allowed: b.cfg.Access == nil}
}

func (b *Bridge) mayEnter(c *client, room string) access.Decision {
	return b.decide(c, access.Request{Door: access.EnterRoom, Room: room})
}

func (b *Bridge) who(c *client) audit.Who {
	w := audit.Who{Remote: c.Remote(), Client: b.clientID(c)}
	if p := c.principal(); p != nil {
		w.Name, w.Source, w.Role, w.Credential = p.Name, p.Source, p.Role, p.CredentialID
	}
	return w
}

func (c *client) user() string {
	if p := c.principal(); p != nil {
		return p.Name
	}
	return ""
}

func (b *Bridge) checkConnections(c *client) *access.Refusal { return nil }
func (b *Bridge) countConnection(c *client) *access.Refusal  { return nil }
func (b *Bridge) uncountConnection(c *client)                {}
