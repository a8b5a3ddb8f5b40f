package bridge

import (
	"net/http"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/hub"
)

// principalNow returns who a client is now, or why it may do nothing any more. A connection is told
// of each change (access_reload.go, access_kick.go). A request over HTTP, which may wait for an hour, is told of
// none, so it is looked at again.
func (b *Bridge) principalNow(c *client) (*access.Principal, *access.Refusal) {
	if c.number > 0 || c.principal() == nil {
		return c.principal(), nil
	}
	seen := c.extra.identified.Load() // before the principal, which is set before it
	p := c.principal()
	if !p.Expires.IsZero() && !b.access.now().Before(p.Expires) {
		return nil, errExpiredRequest
	}
	generation := b.access.generation.Load()
	if generation == seen {
		return p, nil
	}
	now, no := b.access.current(p, seen)
	if no == nil {
		c.setPrincipal(now)
		c.extra.identified.Store(generation)
	}
	return now, no
}

var errExpiredRequest = &access.Refusal{Status: http.StatusUnauthorized, Code: "expired", Reason: "your credential has expired; get a new one"}

// viewerNow returns what a client may hear now; nil is everything.
func (b *Bridge) viewerNow(c *client) *hub.Viewer {
	p, no := b.principalNow(c)
	switch {
	case no != nil:
		return &hub.Viewer{View: filter.NewView(nil, nil)}
	case p == nil:
		return nil
	}
	return viewerOf(c, p)
}
