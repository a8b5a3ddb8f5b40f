package wsclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
)

// receive handles a message of the server.
func (c *Client) receive(s *session, binary bool, text []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.ended {
		return
	}
	if binary {
		c.roomMessage(text, true)
		return
	}
	if !bytes.HasPrefix(text, []byte(`{"op"`)) {
		if r, err := ParseReply(text); err == nil {
			c.reply(s, r)
			return
		}
	}
	m := &message{raw: text}
	if err := json.Unmarshal(text, m); err != nil || m.Op == "" {
		var other *json.UnmarshalTypeError
		if m.Op == "" || !errors.As(err, &other) { // a message of a newer bridge may have other types
			c.roomMessage(text, false)
			return
		}
	}
	if s.v1 {
		c.message(s, m)
	}
}

// roomMessage passes on a message that is neither a reply nor the bridge's own.
func (c *Client) roomMessage(text []byte, binary bool) {
	for _, sub := range c.subs {
		if len(sub.options.Rooms) > 0 && sub.lane.live {
			sub.queue.put(RoomMessage{Data: text, Binary: binary})
		}
	}
}

// reply passes a reply to everything that it is for.
func (c *Client) reply(s *session, r *Reply) {
	if !r.Heard.IsZero() {
		c.clock.observe(r.Heard)
	}
	if r.Epoch != "" {
		s.progress.reply(int64(r.Seq))
	}
	c.own.lane.reply(r)
	for _, sub := range c.subs {
		sub.lane.reply(r)
	}
	if r.Epoch != "" && len(s.resuming) == 0 && s.marker == "" {
		c.reach(Position{r.Epoch, r.Seq}, false)
	}
}

// reach takes note of a place among the replies. With all, everything up to it has come.
func (c *Client) reach(p Position, all bool) {
	if !c.placed || c.position.Epoch != p.Epoch || c.position.Seq < p.Seq {
		c.position, c.placed = p, true
	}
	if !all {
		return
	}
	c.own.lane.reach(p)
	for _, sub := range c.subs {
		sub.lane.reach(p)
	}
}

// message handles a message of the bridge.
func (c *Client) message(s *session, m *message) {
	switch m.Op {
	case "hello":
		c.greet(s, m)
		return
	case "gap":
		c.gap(m)
		return
	case "dropped":
		for _, sub := range c.subs {
			sub.lane.other(Dropped{Count: m.Count})
		}
		return
	case "broker":
		state, reason := textOf(m.State), m.Reason
		c.hello.Broker = state
		if hook := c.cfg.OnBroker; hook != nil {
			c.hooks.add(func() { hook(state, reason) })
		}
		return
	case "access":
		c.accessChanged(s, m)
		return
	case "unsubscribed":
		c.unsubscribed(s, m)
		return
	case "pong":
		c.pong(s, m)
	}
	if m.ID == nil {
		c.own.commandError(m)
		c.notice(m)
		return
	}
	r, ok := s.pending[*m.ID]
	if !ok {
		if m.Op == "snapshot" {
			c.snapshot(s, *m.ID, m.raw)
		}
		return
	}
	var err error
	if m.Op == "error" {
		err = m.err(r.op)
		if m.Code == "expired" { // the clock here may be wrong
			c.ping(s)
		}
	}
	if !r.answered(m, err) {
		delete(s.pending, *m.ID)
	}
}

// notice passes on a message about what the bridge knows beside replies. Others are of a later version.
func (c *Client) notice(m *message) {
	kind, ok := map[string]string{"actor": "actors", "problem": "problems", "command_state": "commands", "model": "models", "site": "site"}[m.Op]
	if !ok {
		return
	}
	for _, sub := range c.subs {
		if sub.lane.live && sub.hasNotice(kind) {
			sub.queue.put(Notice{Op: m.Op, Raw: m.raw})
		}
	}
}

func (c *Client) gap(m *message) {
	g := Gap{To: parseTime(m.To)}
	c.own.missed(g.To)
	key := "  " + m.To
	if m.From != nil {
		g.From = parseTime(*m.From)
		key = *m.From + key
	}
	for _, sub := range c.subs {
		if sub.selectsReplies() {
			sub.lane.gap(g, key)
		}
	}
}

// pong takes note of the bridge's time, and of how far this client has come.
func (c *Client) pong(s *session, m *message) {
	if m.ID == nil {
		return
	}
	if r, ok := s.pending[*m.ID]; ok {
		if t := parseTime(m.Time); !t.IsZero() {
			c.clock.answered(t, r.asked)
		}
	}
	if s.marker != "" && *m.ID == s.marker && len(s.resuming) == 0 {
		s.marker, s.direct = "", nil
		c.own.lane.flush()
		for _, sub := range c.subs {
			sub.lane.flush()
		}
		c.own.caughtUp(s)
	}
	if m.Seq != nil && len(s.resuming) == 0 && s.marker == "" {
		c.reach(Position{m.Epoch, *m.Seq}, true)
	}
}

// parseTime reads a time of the bridge; it is zero if there is none.
func parseTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t
}
