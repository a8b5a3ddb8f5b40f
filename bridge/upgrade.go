package bridge

import (
	"net/http"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// upgradeRequest is what an upgrade request asks for. It outlives the request.
type upgradeRequest struct {
	target string // without credentials
	path   string
	remote string
	origin string // of the page; "" for a program
	offers string // subprotocols
	number uint64 // of the client

	// The following fields are set with access control.
	trusted    bool   // the page may use cookies
	generation uint64 // of the configuration by which the client is identified
}

// readUpgrade reads an upgrade request.
func (b *Bridge) readUpgrade(r *engine.Request) (u upgradeRequest, err error) {
	u.target = r.Target()
	if u.path, err = b.pathOf(u.target); err != nil {
		return u, err
	}
	u.number, u.remote, u.offers = b.clientCount.Add(1), remoteName(r.RemoteAddr()), r.Header("Sec-WebSocket-Protocol")
	return u, nil
}

// pathOf returns the path in the target of an upgrade request, percent-decoded once. If there
// are rooms, dialects or access control, a path that a proxy with access rules might read as a different
// path is an error: a signature holds for one path.
func (b *Bridge) pathOf(target string) (string, error) {
	raw, _, _ := strings.Cut(target, "?")
	path, err := rooms.DecodePath(raw)
	switch {
	case err == nil:
		return path, nil
	case len(b.cfg.Sources) == 0 && b.access == nil && len(b.dialects) == 0: // any path will do, as with CLU
		return "/", nil
	}
	return "", &engine.RejectError{Status: http.StatusBadRequest, Kind: pathKind, Reason: err.Error()}
}

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
	case b.access != nil && access.OffersToken(u.offers) && offersSubprotocol(u.offers, plainSubprotocol):
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
