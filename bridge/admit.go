package bridge

import (
	"net/http"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/engine"
)

// admit accepts a client. Some paths are rooms. A client that names the subprotocol or has
// parameters in its URL speaks v1. With access control, a nil principal means that the client's
// first message must be auth: it follows nothing until then.
func (b *Bridge) admit(u upgradeRequest, p *access.Principal) (engine.Accepted, error) {
	c := &client{number: u.number, connectedAt: time.Now().UnixNano()}
	c.setRemote(u.remote)
	if u.path != commonPath {
		c.addExtra().path = strings.Clone(u.path) // without the query, which may be long
	}
	if b.access != nil {
		if no := b.addAccess(c, u, p); no != nil {
			return engine.Accepted{}, b.refuseUpgrade(u, p, no)
		}
	}
	if path := b.roomOf(c.path()); path != "" {
		return b.acceptRoom(c, u, path)
	}
	asked := offersSubprotocol(u.offers, Subprotocol)
	connect, given := parseConnect(u.target)
	accepted := engine.Accepted{Session: c}
	switch {
	case asked:
		accepted.Subprotocol = Subprotocol
	case b.access != nil && offersToken(u.offers) && offersSubprotocol(u.offers, plainSubprotocol):
		accepted.Subprotocol = plainSubprotocol
	}
	if !asked && !given {
		var err error
		if accepted.Log, err = b.joinPlain(c); err != nil {
			return engine.Accepted{}, &engine.RejectError{Status: http.StatusServiceUnavailable, Reason: err.Error()}
		}
		return accepted, nil
	}
	v1 := b.newSession(c)
	v1.Batch, v1.Connect = connect.Batch, &connect
	return accepted, nil // it follows a log after the hello
}
