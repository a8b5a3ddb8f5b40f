package hightemplar

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// The lengths of the longest requestId and of the longest room in bytes. A room is decoded on the
// engine's loop, where a mebibyte of it takes a tenth of a second.
const (
	maxRequestID = 256
	maxRoom      = 16 << 10
)

// normalClosure is the close code of RFC 6455, 7.4.1.
const normalClosure = 1000

// What every client gets alike.
var (
	refusal       = engine.Text(`{"is_authorized": false}`)
	pong          = engine.Text("pong")
	success       = engine.Text(`{"code": "success"}`)
	noRequestID   = failure("no-request-id")
	roomNotFound  = failure("room-not-found")
	notSubscribed = failure("not-subscribed")
	tooMany       = failure("too-many-subscriptions")
	longRequestID = failure("request-id-too-long")
)

func failure(message string) engine.Frame {
	return engine.Text(`{"code": "error", "message": "` + message + `"}`)
}

// client is a client. It implements [dialect.Session].
type client struct {
	service  *service
	id       string
	greeting engine.Frame
	allowed  *grants // nil if it is refused
	presence presence
	ended    bool // it is being closed

	subscriptions map[string][]*subscription // by requestId, as Python compares it
	count         int                        // of them
}

// Open implements [dialect.Session].
func (c *client) Open(conn engine.Conn) {
	c.service.tell(&c.presence, true)
	conn.Send(c.greeting)
	c.greeting = nil
	if c.allowed == nil {
		c.end(conn)
		return
	}
	c.service.counts.connections.Add(1)
}

// Closed implements [dialect.Session].
func (c *client) Closed(int, string) {
	for _, all := range c.subscriptions {
		for _, s := range all {
			c.service.hub.unsubscribe(s, nil)
		}
	}
	c.subscriptions = nil
	if c.allowed != nil {
		c.service.counts.connections.Add(-1)
	}
	c.service.tell(&c.presence, false)
}

// end closes the connection. What comes after that is ignored.
func (c *client) end(conn engine.Conn) {
	c.ended = true
	conn.Close(normalClosure, "")
}

// request is a message of a client. Its fields are nil if they are not given.
type request struct{ kind, room, id []byte }

// Message implements [dialect.Session].
func (c *client) Message(conn engine.Conn, m engine.Message) {
	if c.ended {
		return
	}
	c.service.counts.received.Add(1)
	if !m.Binary && string(m.Payload) == "ping" {
		conn.Send(pong)
		c.service.tell(&c.presence, true)
		return
	}
	if ok, _ := jsonscan.Valid(m.Payload); !ok || !utf8.Valid(m.Payload) {
		c.fail(conn, "non-json-message")
		return
	}
	text := bytes.TrimLeft(m.Payload, " \t\r\n")
	if text[0] != '{' {
		c.end(conn)
		return
	}
	var r request
	members := jsonscan.MembersOf(text)
	for key, value, ok := members.Next(); ok; key, value, ok = members.Next() {
		switch string(key) {
		case "type":
			r.kind = value
		case "room":
			r.room = value
		case "requestId":
			r.id = value
		}
	}
	c.handle(conn, r)
}

func (c *client) handle(conn engine.Conn, r request) {
	var kind string
	switch {
	case isNested(r.kind):
		c.end(conn)
		return
	case len(r.kind) > 0 && r.kind[0] == '"':
		_ = json.Unmarshal(r.kind, &kind) // it is JSON
	}
	switch kind {
	case "subscribe":
		c.subscribe(conn, r)
	case "unsubscribe":
		c.unsubscribe(conn, r)
	case "status":
		conn.Send(c.service.status())
	default:
		c.fail(conn, "message-type-not-allowed")
	}
}

// fail says what is wrong with a message.
func (c *client) fail(conn engine.Conn, message string) {
	conn.Send(engine.Text(string(protocol.JSON(struct {
		ID      string `json:"requestId"` // the client's, as High-templar has it
		Code    string `json:"code"`
		Message string `json:"message"`
	}{c.id, "error", message}))))
}

func (c *client) subscribe(conn engine.Conn, r request) {
	if len(r.room) == 0 || r.room[0] != '{' {
		c.end(conn)
		return
	}
	var wanted room
	err := errNoRoom
	if len(r.room) <= maxRoom {
		wanted, err = parseRoom(r.room)
	}
	switch {
	case r.id == nil:
		conn.Send(noRequestID)
		return
	case err != nil || !c.allowed.allow(wanted):
		conn.Send(roomNotFound)
		return
	case isNested(r.id):
		c.end(conn)
		return
	case len(r.id) > maxRequestID:
		conn.Send(longRequestID)
		return
	}
	path, id := c.service.hub.pathOf(wanted), equalID(r.id)
	same := func(s *subscription) bool { return s.room.path == path }
	switch {
	case slices.ContainsFunc(c.subscriptions[id], same):
		conn.Send(success)
		return
	case c.count >= c.service.cfg.MaxSubscriptions:
		conn.Send(tooMany)
		return
	}
	if c.subscriptions == nil {
		c.subscriptions = map[string][]*subscription{}
	}
	s := c.service.hub.subscribe(conn, path, string(r.id), success)
	c.subscriptions[id] = append(c.subscriptions[id], s)
	c.count++
}

// unsubscribe ends the oldest subscription with a requestId.
func (c *client) unsubscribe(conn engine.Conn, r request) {
	if r.id == nil {
		conn.Send(noRequestID)
		return
	}
	if isNested(r.id) || len(r.id) > maxRequestID {
		conn.Send(notSubscribed)
		return
	}
	id := equalID(r.id)
	all := c.subscriptions[id]
	if len(all) == 0 {
		conn.Send(notSubscribed)
		return
	}
	c.service.hub.unsubscribe(all[0], success)
	c.count--
	if all = slices.Delete(all, 0, 1); len(all) == 0 {
		delete(c.subscriptions, id)
		return
	}
	c.subscriptions[id] = all
}

// isNested reports whether a value is an object or an array.
func isNested(value []byte) bool { return len(value) > 0 && (value[0] == '{' || value[0] == '[') }

// equalID returns a requestId, which is not nested, as a text that those have that are equal in Python.
func equalID(text []byte) string {
	read := json.NewDecoder(bytes.NewReader(text))
	read.UseNumber()
	var value any
	_ = read.Decode(&value) // it is JSON
	return equalText(value)
}
