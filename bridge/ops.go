package bridge

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// An op is a request of a v1 client: which fields it may have, and what it does.
type op struct {
	fields []string // beside op and id
	do     func(b *Bridge, conn engine.Conn, s *session, id *string, message fields) error
}

// ops are the requests that there are.
func ops() map[string]op {
	return map[string]op{
		"ping":      {[]string{"data"}, (*Bridge).ping},
		"subscribe": {[]string{"since"}, (*Bridge).subscribe},
	}
}

// request takes a message that has an op. A client that sends one speaks v1 from
// now on.
func (b *Bridge) request(conn engine.Conn, c *client, rawOp json.RawMessage, message fields) {
	s := c.v1.Load()
	if s == nil {
		s = b.newSession(c)
		b.desk.do(func() { b.greet(conn, s) })
	}
	id, err := message.id()
	if err == nil {
		err = b.dispatch(conn, s, id, rawOp, message)
	}
	if err != nil {
		// Over the desk, behind the answers that are on their way.
		b.desk.do(func() {
			conn.Send(frameOf(errorMessage{Op: "error", ID: id, Code: "bad_request", Message: err.Error()}))
		})
	}
}

func (b *Bridge) dispatch(conn engine.Conn, s *session, id *string, rawOp json.RawMessage, message fields) error {
	var name string
	if json.Unmarshal(rawOp, &name) != nil {
		return fmt.Errorf(`"op" is %s, but must be a string`, kind(rawOp))
	}
	op, ok := b.ops[name]
	if !ok {
		return fmt.Errorf("there is no op %q; there are %s", name, strings.Join(b.opNames, ", "))
	}
	for field := range message {
		if field != "op" && field != "id" && !slices.Contains(op.fields, field) {
			return fmt.Errorf("%q has no field %q; it has %s", name, field, strings.Join(append([]string{"id"}, op.fields...), ", "))
		}
	}
	return op.do(b, conn, s, id, message)
}

// id is the client's own name for its request, or nil.
func (f fields) id() (*string, error) {
	raw, ok := f["id"]
	if !ok || string(raw) == "null" {
		return nil, nil
	}
	var id string
	if json.Unmarshal(raw, &id) != nil {
		return nil, fmt.Errorf(`"id" is %s, but must be a string; it comes back in the answer`, kind(raw))
	}
	return &id, nil
}

// ping is a sign of life that a page can see.
func (b *Bridge) ping(conn engine.Conn, s *session, id *string, message fields) error {
	data := slices.Clone(message["data"]) // the message is gone when the answer is written
	return b.ask(s, func() { conn.Send(frameOf(pongMessage{Op: "pong", ID: id, Data: data})) })
}

// subscribe has a client hear every reply, from where it left off.
func (b *Bridge) subscribe(conn engine.Conn, s *session, id *string, message fields) error {
	raw, resume := message["since"]
	if !resume || string(raw) == "null" {
		return b.ask(s, func() {
			b.hub.mu.Lock()
			defer b.hub.mu.Unlock()
			b.hub.follow(conn, s, frameOf(okMessage{Op: "ok", ID: id}))
		})
	}
	var last since
	if err := last.read(raw); err != nil {
		return err
	}
	return b.ask(s, func() {
		b.hub.mu.Lock()
		defer b.hub.mu.Unlock()
		b.hub.resumeLater(conn, s, id, last)
	})
}

// read reads {"epoch": "...", "seq": 1}.
func (s *since) read(raw json.RawMessage) error {
	const form = `write {"epoch": "<text>", "seq": <number>} of the last reply that you had`
	var f map[string]json.RawMessage
	if json.Unmarshal(raw, &f) != nil || f == nil {
		return fmt.Errorf(`"since" is %s; %s`, kind(raw), form)
	}
	for name := range f {
		if name != "epoch" && name != "seq" {
			return fmt.Errorf(`"since" has no field %q; %s`, name, form)
		}
	}
	if json.Unmarshal(f["epoch"], &s.Epoch) != nil || s.Epoch == "" || f["epoch"] == nil {
		return fmt.Errorf(`"since" needs an "epoch"; %s`, form)
	}
	if f["seq"] == nil || string(f["seq"]) == "null" || json.Unmarshal(f["seq"], &s.Seq) != nil {
		return fmt.Errorf(`"since" needs a "seq"; %s`, form)
	}
	return nil
}
