package bridge

import (
	"net/http"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// A client that connects to the path of a room is in that room, and hears its
// messages and nothing else.

// openWithin is how long an accepted client may take to be open. One that is not
// by then never is.
const openWithin = time.Minute

// roomOf returns the room of a request's path, or "".
func (b *Bridge) roomOf(path string) string {
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	if sourceOf(b.cfg.Sources, path) == nil {
		return ""
	}
	return path
}

// guest is what a client in a room has.
type guest struct {
	room   *room
	coming *time.Timer // until it is open
	wrong  string      // what it must be told then
	gone   bool        // it was taken out of the room before it was open
}

// acceptRoom lets a client into a room.
func (b *Bridge) acceptRoom(r *engine.Request, c *client, target, path string) (engine.Welcome, error) {
	path, err := roomPath(path)
	if err != nil {
		return engine.Welcome{}, &engine.Refusal{Status: http.StatusBadRequest, Reason: err.Error()}
	}
	g := &guest{}
	_, given := arrivalOf(target)
	switch {
	case given:
		g.wrong = "the URL asks for replies, and there are none in a room; connect to / for them"
	case namesSubprotocol(r.Header("Sec-WebSocket-Protocol")):
		g.wrong = `nobody speaks ` + Subprotocol + ` in a room; connect to /, and subscribe there with "rooms": ["` + path + `"]`
	}
	if g.room, err = b.rooms.enter(path, sharer(c.remote())); err != nil {
		return engine.Welcome{}, &engine.Refusal{Status: http.StatusServiceUnavailable, Reason: err.Error()}
	}
	g.coming = time.AfterFunc(openWithin, func() { b.rooms.leave(g.room) })
	c.rare().guest = g
	return engine.Welcome{Log: g.room.log, Session: c}, nil
}

// openRoom sees to it that a client stays in its room.
func (b *Bridge) openRoom(conn engine.Conn, c *client) {
	if !c.guest().coming.Stop() {
		c.guest().gone = true
		conn.Close(1013, "it took too long; try again")
		return
	}
	if c.guest().wrong != "" {
		conn.Send(roomError(c.guest().wrong))
	}
}

// leaveRoom ends a client's being in its room.
func (b *Bridge) leaveRoom(c *client) {
	if !c.guest().gone {
		b.rooms.leave(c.guest().room)
	}
}

// roomMessage answers what a client says in a room.
func (b *Bridge) roomMessage(conn engine.Conn) {
	b.metrics.refused.Inc()
	conn.Send(roomError("a room is for hearing only; connect to / to send commands"))
}

// roomError is what the bridge itself says in a room.
func roomError(words string) engine.Frame {
	return frameOf(struct {
		Error string `json:"error"`
	}{words})
}
