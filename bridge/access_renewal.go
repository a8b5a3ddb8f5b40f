package bridge

import (
	"context"
	"fmt"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// startRenewal asks the callback about a client again. mu of the client is held.
func (b *Bridge) startRenewal(c *client, p *access.Principal) {
	a := c.extra.access
	ctx, cancel := context.WithCancel(b.running)
	a.renewing, a.stopRenewal = true, cancel
	b.access.renewals.Do(func() {
		defer cancel()
		now, no := (*access.Principal)(nil), errUndecided
		b.guarded("a renewal", func() { now, no = b.access.Renew(ctx, p) })
		a.mu.Lock()
		defer a.mu.Unlock()
		a.renewing = false
		b.renewed(c, p, now, no)
	})
}

// renewed is called with what the callback says about a client. mu of the client is held.
func (b *Bridge) renewed(c *client, asked, now *access.Principal, no *access.Refusal) {
	switch {
	case c.extra.access.closed:
		return
	case c.principal() != asked: // it changed meanwhile, and is asked about again
		b.schedule(c)
		return
	case no != nil:
		b.closeFor(c, no)
		return
	}
	b.become(c, now, "callback")
	if c.extra.access.closed {
		return
	}
	was, is := asked.UnknownSince(), now.UnknownSince()
	switch {
	case was.IsZero() && !is.IsZero():
		b.access.unrenewed.Note("the callback does not answer", "client", c.Remote(), "user", now.Name, "until", now.Expires)
		b.tellAccess(c, protocol.Access{Op: "access", Renewed: new(bool), Message: fmt.Sprintf(
			"the application that decides who may be here does not answer; you stay for now, and it is asked again (since %s)", is.UTC().Format(protocol.TimeFormat))})
	case !was.IsZero() && is.IsZero(), is.IsZero() && !now.Expires.Equal(asked.Expires):
		yes := true
		b.tellAccess(c, protocol.Access{Op: "access", Renewed: &yes, AccessInfo: accessInfo(now)})
	}
}

// stay keeps a client that showed a new credential about which the callback could not be asked:
// until its time of grace has passed, even if its old one expires. mu of the client is held.
func (b *Bridge) stay(c *client) {
	was := c.principal()
	if now, no := b.access.Stay(was); no == nil && now != was {
		b.become(c, now, "callback")
	}
}
