package bridge

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/quota"
	"github.com/clu-ws/clu-ws/internal/deadline"
)

// Close codes of access control.
const (
	closeUnauthorized = 3000 // the credential has expired, or is none
	closeRevoked      = 3003 // the credential was revoked, or the client was closed by an operator
	closeAuthLate     = 3008 // the client did not say in time who it is
	closeTryLater     = 1013
)

const (
	// authTimeout is how long a client may take to log in.
	authTimeout = 10 * time.Second
	// warnBefore is how long before its credential expires a client is told. One that is shorter
	// is told after half of its time.
	warnBefore = time.Minute
)

// clientAccess is what access control keeps of a connected client, beside its principal.
type clientAccess struct {
	deadline deadline.Entry   // its place among those of all clients
	origin   string           // of its page; "" for a program
	trusted  bool             // its page may use cookies here
	plain    *hub.PlainClient // what it follows as a plain client; nil for others

	// awaiting is set until the client has logged in.
	awaiting atomic.Bool
	// generation is that of the configuration by which it was identified.
	generation uint64

	// mu guards the following fields, and each change of the client's principal.
	mu       sync.Mutex
	conn     engine.Conn
	opened   bool      // conn is set
	deciding bool      // a credential that it sent is being decided
	renewing bool      // the callback is being asked about it
	warnAt   time.Time // when it is told that it expires; zero if it was
	closed   bool      // it is being closed, or has left
	present  bool      // others were told that it has connected

	stopDeciding, stopRenewal func() // nil if that never was
}

// accessOf returns what access control keeps of a client, or nil.
func (c *client) accessOf() *clientAccess {
	if c.extra == nil {
		return nil
	}
	return c.extra.access
}

// awaitsCredential reports whether a client has not logged in yet.
func (c *client) awaitsCredential() bool {
	a := c.accessOf()
	return a != nil && a.awaiting.Load()
}

// lockAccess locks what access control keeps of a client, if there is any.
func (c *client) lockAccess() (unlock func()) {
	a := c.accessOf()
	if a == nil {
		return func() {}
	}
	a.mu.Lock()
	return a.mu.Unlock
}

// addAccess gives a client that is being accepted its principal, or makes it log in.
func (b *Bridge) addAccess(c *client, u upgradeRequest, p *access.Principal) *access.Refusal {
	a := &clientAccess{origin: u.origin, trusted: u.trusted, generation: u.generation}
	a.deadline.Due = func() { b.accessDue(c) }
	c.addExtra().access = a
	if p == nil {
		a.awaiting.Store(true)
		return nil
	}
	c.setPrincipal(p)
	return b.checkConnections(c)
}

// joinPlain makes a plain client that is being accepted follow what it may hear. If it does not
// open its connection in time, it is given up.
func (b *Bridge) joinPlain(c *client) (log *engine.Log, err error) {
	a, p := c.accessOf(), c.principal()
	switch {
	case a == nil:
		return b.hub.Plain.(*engine.Log), nil
	case p == nil:
		return nil, nil
	}
	if a.plain, err = b.hub.JoinPlain(viewerOf(c, p), quota.Address(c.Remote())); err != nil {
		return nil, err
	}
	b.access.deadlines.Set(&a.deadline, b.access.now().Add(openTimeout))
	return a.plain.Log().(*engine.Log), nil
}

// enter begins the life of a connected client. It returns false if the client is closed again.
// mu is held.
func (b *Bridge) enter(conn engine.Conn, c *client) bool {
	a := c.accessOf()
	a.conn, a.opened = conn, true
	switch {
	case a.closed: // it took too long to open
		conn.Close(closeTryLater, "it took too long; try again")
		return false
	case a.awaiting.Load():
		b.access.deadlines.Set(&a.deadline, b.access.now().Add(authTimeout))
		conn.Send(protocol.Encode(protocol.AuthRequired{Op: "hello", Auth: "required", TimeoutMS: int(authTimeout / time.Millisecond)}))
		return true
	}
	// A reload or a kick since it was identified may have missed this connection.
	was := c.principal()
	p, no := b.access.current(was, a.generation)
	if no == nil {
		no = b.countConnection(c)
	}
	if no != nil {
		b.closeFor(c, no)
		return false
	}
	a.plain.Open(hubConn{conn})
	b.entered(c, false)
	if p != was {
		b.become(c, p, "reload")
	}
	return !a.closed
}

// entered records that a client is identified, and sets its deadlines. mu is held.
func (b *Bridge) entered(c *client, renewed bool) {
	a, p := c.extra.access, c.principal()
	b.cfg.Audit.Entered(audit.Entered{Who: b.who(c), Path: c.path(), Origin: a.origin, Renewed: renewed, Expires: p.Expires})
	a.warnAt = b.warningAt(p)
	b.schedule(c)
}

// warningAt returns when a client is told that its credential expires.
func (b *Bridge) warningAt(p *access.Principal) time.Time {
	if p.Expires.IsZero() {
		return time.Time{}
	}
	left := p.Expires.Sub(b.access.now())
	return p.Expires.Add(-min(warnBefore, left/2))
}

// schedule sets a client's next deadline. mu is held.
func (b *Bridge) schedule(c *client) {
	a, p := c.extra.access, c.principal()
	var next time.Time
	sooner := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if p != nil && !a.closed {
		sooner(p.Expires)
		sooner(a.warnAt)
		if !a.renewing {
			sooner(p.RenewAfter)
		}
	}
	b.access.deadlines.Set(&a.deadline, next)
}

// accessDue is called at a client's deadline.
func (b *Bridge) accessDue(c *client) {
	a := c.extra.access
	a.mu.Lock()
	defer a.mu.Unlock()
	now, p := b.access.now(), c.principal()
	switch {
	case a.closed:
		return
	case !a.opened:
		a.closed = true
		a.plain.Leave()
		return
	case p == nil:
		b.closeWith(c, closeAuthLate, "auth_late", "you did not say who you are within 10 s; connect again, and send auth with your token first")
		return
	case !p.Expires.IsZero() && !now.Before(p.Expires) && !a.renewing:
		b.closeWith(c, closeUnauthorized, "expired", "your credential has expired; get a new one and connect again")
		return
	}
	if !a.warnAt.IsZero() && !now.Before(a.warnAt) {
		a.warnAt = time.Time{}
		b.tellAccess(c, protocol.Access{Op: "access", ExpiresIn: wholeSeconds(p.Expires.Sub(now))})
	}
	if !p.RenewAfter.IsZero() && !now.Before(p.RenewAfter) && !a.renewing {
		b.startRenewal(c, p)
	}
	b.schedule(c)
}

// wholeSeconds returns a duration in whole seconds, rounded up.
func wholeSeconds(d time.Duration) *int {
	s := int(math.Ceil(max(0, d).Seconds()))
	return &s
}

// tellAccess tells a v1 client about its access. Other clients know no such messages.
func (b *Bridge) tellAccess(c *client, m protocol.Access) {
	if c.v1.Load() != nil {
		b.answerLater(c.extra.access.conn, c, protocol.Encode(m))
	}
}

// closeFor closes a client that may no longer be connected. mu is held.
func (b *Bridge) closeFor(c *client, no *access.Refusal) {
	b.closeWith(c, closeCode(no), no.Code, no.Reason)
}

// closeCode returns the close code for a refusal.
func closeCode(no *access.Refusal) int {
	switch {
	case no.Status == 429 || no.Status == 503:
		return closeTryLater
	case no.Code == "revoked" || no.Code == access.CodeKicked:
		return closeRevoked
	}
	return closeUnauthorized
}

// closeWith closes a client. mu is held.
func (b *Bridge) closeWith(c *client, closeCode int, code, reason string) {
	b.closeBy(c, audit.Kicked{Who: b.who(c), Code: code}, closeCode, reason)
}

// closeBy closes a client and records why. Its commands that are not sent yet will not be. mu is
// held.
func (b *Bridge) closeBy(c *client, k audit.Kicked, closeCode int, reason string) {
	a := c.extra.access
	if a.closed {
		return
	}
	a.closed = true
	b.access.deadlines.Set(&a.deadline, time.Time{})
	b.cfg.Audit.Kicked(k)
	b.access.closes.Note(k.Code, "client", c.Remote(), "user", c.user(), "code", closeCode)
	c.set(clientGone)
	a.conn.Close(closeCode, reason)
}

// publishConnected publishes that a client has connected. mu is held.
func (b *Bridge) publishConnected(c *client) {
	if a := c.accessOf(); a != nil {
		a.present = true
	}
	b.publishConnect(c)
}

// leaveAccess forgets a client that has left. It reports whether others were told that the client
// had connected.
func (b *Bridge) leaveAccess(c *client) (present bool) {
	a := c.accessOf()
	if a == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	b.access.deadlines.Set(&a.deadline, time.Time{})
	a.plain.Leave()
	for _, stop := range []func(){a.stopDeciding, a.stopRenewal} {
		if stop != nil {
			stop()
		}
	}
	b.uncountConnection(c)
	return a.present
}
