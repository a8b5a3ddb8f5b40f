package bridge

import (
	"errors"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/site"
)

// Reload is the part of a configuration that can change while a bridge runs.
type Reload struct {
	// Access says who clients are. It is nil if, and only if, Config.Access is.
	Access *access.Config
	// Site describes the observatory.
	Site *site.Config
	// The other fields are as in [Config].
	Origins, TrustedProxies []string
	LogCommands             bool
	Drain                   Drain
}

// ErrAccessToggled is returned by [Bridge.Reload] if access control would begin or end.
var ErrAccessToggled = errors.New("access control begins and ends only when the bridge is started; restart it")

// Reload replaces what can change while the bridge runs. An error means that nothing has
// changed. Connected clients lose at once what they may do no longer, and get at once what they
// may do now; the others notice nothing. Which pages and proxies are allowed is asked when a
// client connects. Reload returns when all clients are as the new configuration says. It must
// not be called from a [engine.Handler].
func (b *Bridge) Reload(r Reload) error {
	b.reloading.Lock()
	defer b.reloading.Unlock()
	if (r.Access == nil) != (b.access == nil) {
		return ErrAccessToggled
	}
	// The lists are checked first, because an error must change nothing.
	p, err := parsePolicies(r.Origins, r.TrustedProxies, nil)
	if err != nil {
		return err
	}
	described, err := site.Compile(r.Site)
	if err != nil {
		return err
	}
	if b.access != nil {
		if err := b.access.Reload(*r.Access); err != nil {
			return err
		}
		if p, err = parsePolicies(r.Origins, r.TrustedProxies, b.access.Authority); err != nil {
			return err // cannot happen: both lists are valid
		}
	}
	b.policy.Store(p)
	r.Drain.setDefaults()
	b.drainAs.Store(&r.Drain)
	b.commandLog.on.Store(r.LogCommands)
	b.setSite(r.Site, described)
	if b.access != nil {
		b.access.generation.Add(1)
		b.reviewClients()
	}
	return nil
}

// reviewedAtOnce is how many changes are handed to the hub before it is waited for, so that
// replies and requests come in between.
const reviewedAtOnce = 64

// reviewClients makes every connected client what it is by the present configuration. Clients
// that are identified meanwhile are checked when their connections open.
func (b *Bridge) reviewClients() {
	changes := 0
	b.engine.Each(func(_ engine.Conn, v any) {
		if !b.review(v.(*client)) {
			return
		}
		if changes++; changes%reviewedAtOnce == 0 {
			b.awaitHub()
		}
	})
	b.awaitHub()
}

// awaitHub waits until the hub has carried out what it was asked to before.
func (b *Bridge) awaitHub() {
	done := make(chan struct{})
	b.hub.Do(func() { close(done) })
	select {
	case <-done:
	case <-b.stopping:
	}
}

// review reports whether a client has changed.
func (b *Bridge) review(c *client) (changed bool) {
	a := c.accessOf()
	if a == nil {
		return false // its dialect says what it may do
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	was := c.principal()
	if a.closed || !a.opened || was == nil {
		return false
	}
	p, no := b.access.Current(was)
	switch {
	case no != nil:
		b.closeFor(c, no)
	case p != was:
		b.become(c, p, "reload")
	default:
		return false
	}
	return true
}
