package bridge

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/quota"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// A client that connects to the path of a room gets the messages of that room and nothing else.

// openTimeout is how long an accepted client may take to open its connection. One that
// takes longer is given up.
const openTimeout = time.Minute

// roomOf returns the room of a request's path, or "".
func (b *Bridge) roomOf(path string) string {
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	if rooms.Find(b.cfg.Sources, path) == nil {
		return ""
	}
	return path
}

// roomClient is the data of a client in a room.
type roomClient struct {
	path    string       // of the room, which is clean
	room    *rooms.Room  // nil if it resumes
	since   *rooms.Since // where it was, if it resumes
	follows *rooms.Follower
	opening *time.Timer // runs until the connection is open
	opened  bool        // the connection is open, and the timer is stopped
	wrong   string      // an error to tell the client then
}

// acceptRoom accepts a client of a room.
func (b *Bridge) acceptRoom(c *client, u upgradeRequest, path string) (engine.Accepted, error) {
	path, err := rooms.CleanPath(path)
	if err != nil {
		return engine.Accepted{}, &engine.RejectError{Status: http.StatusBadRequest, Reason: err.Error()}
	}
	if d := b.mayEnter(c, path); !d.Allowed {
		return engine.Accepted{}, b.refuseUpgrade(u, c.principal(), roomForbidden(d))
	}
	g := &roomClient{path: path}
	if g.since, err = b.roomPlace(u.target); err != nil {
		g.wrong = err.Error()
	}
	if offersSubprotocol(u.offers, Subprotocol) {
		g.wrong = `a room does not speak ` + Subprotocol + `; connect to /, and subscribe there with "rooms": ["` + path + `"]`
	}
	c.addExtra().roomClient = g
	accepted := engine.Accepted{Session: c}
	if g.since == nil {
		if g.room, err = b.rooms.Enter(path, quota.Address(c.Remote())); err != nil {
			return engine.Accepted{}, &engine.RejectError{Status: http.StatusServiceUnavailable, Reason: err.Error()}
		}
		g.opening = time.AfterFunc(openTimeout, func() { b.rooms.Leave(g.room) })
		accepted.Log = g.room.Log
	}
	if access.OffersToken(u.offers) && offersSubprotocol(u.offers, plainSubprotocol) {
		accepted.Subprotocol = plainSubprotocol // a browser closes the connection otherwise
	}
	return accepted, nil
}

// roomPlace returns the place from which a client of a room resumes, or nil. Its error is about the
// query of the target, of which nothing is used then.
func (b *Bridge) roomPlace(target string) (*rooms.Since, error) {
	_, query, _ := strings.Cut(target, "?")
	values, given, err := readQuery(query)
	switch {
	case !given:
		return nil, nil
	case len(values) > 1 || !values.Has("since"):
		return nil, errors.New("the URL asks for replies, and there are none in a room; connect to / for them")
	case err != nil:
		return nil, err
	}
	return b.resuming.Parse(values.Get("since"))
}

// openRoom is called when the connection of a client in a room is open.
func (b *Bridge) openRoom(conn engine.Conn, c *client) {
	g := c.roomClient()
	if g.since != nil {
		var err error
		if g.follows, err = b.resuming.Enter(conn, c.Remote(), rooms.Wanted{Paths: []string{g.path}}, *g.since); err != nil {
			conn.Close(1013, err.Error())
			return
		}
	} else if !g.opening.Stop() {
		conn.Close(1013, "it took too long; try again")
		return
	}
	g.opened = true
	b.tellRoom(c, roomSubscribe, b.roomOf(c.path()), nil, nil)
	if g.wrong != "" {
		conn.Send(roomError(g.wrong))
	}
}

// leaveRoom removes a client from its room.
func (b *Bridge) leaveRoom(c *client) {
	g := c.roomClient()
	if g.opened {
		b.tellRoom(c, roomUnsubscribe, b.roomOf(c.path()), nil, nil)
	}
	switch {
	case g.follows != nil:
		b.resuming.Leave(g.follows)
	case g.room != nil && (g.opened || g.opening.Stop()): // otherwise the timer has done it
		b.rooms.Leave(g.room)
	}
}

// roomMessage answers a message from a client in a room.
func (b *Bridge) roomMessage(conn engine.Conn) {
	b.metrics.refused.Inc()
	conn.Send(roomError("a room takes no messages; connect to / to send commands"))
}

// roomError encodes an error for a client in a room.
func roomError(words string) engine.Frame {
	return protocol.Encode(struct {
		Error string `json:"error"`
	}{words})
}

// roomForbidden returns the refusal of a room that is not granted.
func roomForbidden(d access.Decision) *access.Refusal {
	return &access.Refusal{Status: http.StatusForbidden, Code: protocol.CodeForbidden, Reason: d.Reason}
}
