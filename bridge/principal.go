package bridge

import "github.com/clu-ws/clu-ws/bridge/access"

// principal returns who a client is. It is nil without access control, and for a client that has
// not logged in; see [Bridge.decide].
func (c *client) principal() *access.Principal {
	if c.extra == nil {
		return nil
	}
	return c.extra.principal.Load()
}

// setPrincipal sets who a client is. It is first called while the client is being accepted;
// later calls replace the principal, on any goroutine.
func (c *client) setPrincipal(p *access.Principal) { c.addExtra().principal.Store(p) }
