package bridge

import (
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// become makes a connected client another principal, and tells it if its grants changed. Rights
// that it loses end at once. mu of the client is held.
func (b *Bridge) become(c *client, p *access.Principal, reason string) {
	a, was := c.extra.access, c.principal()
	c.setPrincipal(p)
	if was.Name != p.Name {
		b.uncountConnection(c)
		if no := b.countConnection(c); no != nil {
			b.closeFor(c, no)
			return
		}
	}
	a.warnAt = b.warningAt(p)
	b.schedule(c)
	changed := was.Grants.Key() != p.Grants.Key()
	if !changed && was.Name == p.Name {
		return
	}
	if changed {
		b.cfg.Audit.Changed(audit.Changed{Who: b.who(c), Reason: reason, Grants: p.Grants.JSON(), Was: was.Role})
		b.access.changes.Note(reason, "client", c.Remote(), "user", p.Name, "role", p.Role)
	}
	b.applyViewer(c, was, p)
}

// applyViewer changes what a client hears. mu of the client is held.
func (b *Bridge) applyViewer(c *client, was, p *access.Principal) {
	a := c.extra.access
	switch s := c.v1.Load(); {
	case c.roomClient() != nil:
		if d := b.mayEnter(c, c.roomClient().path); !d.Allowed {
			b.closeWith(c, closeRevoked, "forbidden", d.Reason)
		}
	case s != nil:
		m := protocol.Access{Op: "access", Changed: changedGrants(was.Grants, p.Grants), AccessInfo: accessInfo(p)}
		b.hub.SetViewer(s, viewerOf(c, p), protocol.Encode(m))
	case a.plain != nil:
		a.plain.SetViewer(viewerOf(c, p))
	}
}
