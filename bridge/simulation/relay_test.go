package simulation

import (
	"bytes"
	"strconv"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
)

// The relay does what package bridge does between link and hub.

var repliesQueue = actor.RepliesQueue(bridgeName)

// deliver relays a reply (bridge/replies.go).
func (w *world) deliver(d *amqpx.Delivery) {
	w.mu.Lock()
	busyUntil := w.busyUntil
	w.mu.Unlock()
	if wait := time.Until(busyUntil); wait > 0 {
		pass(wait)
	}
	buf := make([]byte, engine.MaxHeaderSize, engine.MaxHeaderSize+512+len(d.Body))
	buf, body, err := actor.Envelope{}.AppendWithOffset(buf, d)
	if err != nil {
		w.fail("the reply %s has no envelope: %v", d.MessageId, err)
		return
	}
	text := func(name string) string { s, _ := d.Headers[name].(string); return s }
	r := &hub.Reply{Plain: buf, BodyAt: body}
	r.Sender, r.Code, r.RoutingKey = text("sender"), text("message_code"), d.RoutingKey
	r.CommandID, r.Commander = text("command_id"), text("commander_id")
	r.Order, r.Ordered = d.Headers["order"].(int64)
	r.OrderKey = r.Sender
	w.mu.Lock()
	known := w.byID[d.MessageId]
	w.linkEvents = append(w.linkEvents, linkEvent{at: time.Now(), reply: known})
	w.numbered = append(w.numbered, known)
	if known != nil {
		known.numbered, known.seq = time.Now(), uint64(len(w.numbered))
	}
	w.mu.Unlock()
	w.note("delivered %s", d.MessageId)
	w.hub.Reply(r, 0, false)
}

func (w *world) missed(g amqpx.Gap) {
	w.note("a gap from %v to %v", g.From.Sub(w.began), g.To.Sub(w.began))
	w.mu.Lock()
	w.linkEvents = append(w.linkEvents, linkEvent{at: time.Now(), gap: &g, seq: uint64(len(w.numbered))})
	w.mu.Unlock()
	w.tellLink()
	w.hub.Missed(g.From, g.To)
}

func (w *world) linkChanged(s amqpx.State) {
	w.note("the link is up %v, blocked %q, %v", s.Up, s.Blocked, s.Err)
	w.mu.Lock()
	w.states = append(w.states, stateAt{time.Now(), s})
	w.mu.Unlock()
	w.hub.Do(w.tellLink)
}

func (w *world) tellLink() {
	word := "up"
	switch s := w.link.State(); {
	case !s.Up:
		word = "down"
	case s.Blocked != "":
		word = "blocked"
	case s.QueueDown != "":
		word = "no_replies"
	}
	w.hub.Linked(word, "")
}

// sendWithin is how long a command may take from being read to being sent.
const sendWithin = 900 * time.Millisecond

// send registers and publishes a command (bridge/commands.go, tracked.go, outgoing.go).
func (w *world) send(c *command) {
	c.came = time.Now()
	a := actor.NewCommand(bridgeName, c.consumer, c.text(), c.id)
	key := hub.CommandKey{ID: c.id, Consumer: c.consumer}
	var err error
	if c.wait > 0 {
		waiter := w.hub.ResultWaiter(c.conn, c.conn.session, &c.id)
		if c.flight, err = w.hub.Inflight.Add(c.conn, key, waiter); err == nil {
			c.conn.sendOK(c.id)
			w.hub.Inflight.Start(c.flight, waiter, c.wait)
		}
	} else {
		c.flight, err = w.hub.Inflight.Add(c.conn, key, nil)
	}
	if err != nil {
		w.fail("the command %s was refused: %v", c.id, err)
		return
	}
	m := a.Message()
	m.From, m.Tenant, m.Deadline = c.conn, c.flight.Party(), c.came.Add(sendWithin)
	if !c.expires.IsZero() && c.expires.Before(m.Deadline) {
		m.Deadline = c.expires
	}
	w.note("publishes %s", c.id)
	w.hub.CommandSent(hub.SentCommand{CommandKey: key, String: c.text(), Client: c.conn.c.remote})
	if err := w.link.Publish(m, func(o amqpx.Outcome) { w.settled(c, o) }); err != nil {
		w.fail("the command %s was not published: %v", c.id, err)
	}
}

// settled handles the outcome of publishing a command.
func (w *world) settled(c *command, o amqpx.Outcome) {
	w.note("%s is %v", c.id, o)
	w.mu.Lock()
	c.outcomes = append(c.outcomes, o)
	c.settledAt = time.Now()
	w.mu.Unlock()
	if o == amqpx.Confirmed {
		return
	}
	w.hub.CommandFailed(hub.CommandKey{ID: c.id, Consumer: c.consumer}, o.String(), o.InDoubt())
	waited := w.hub.Inflight.Failed(c.flight, o.InDoubt())
	if c.wait == 0 || waited {
		c.conn.sendError(c.id, o.String())
	}
}

// wrote records the commands that the link writes on a connection.
func (w *world) wrote(on *pipe, p []byte) {
	for {
		at := bytes.Index(p, []byte(commandMark))
		if at < 0 || len(p) < at+len(commandMark)+commandDigits {
			return
		}
		p = p[at+len(commandMark):]
		n, err := strconv.Atoi(string(p[:commandDigits]))
		w.mu.Lock()
		if err == nil && n < len(w.commands) {
			c := w.commands[n]
			c.sent, c.sentOn = append(c.sent, time.Now()), on
		}
		w.mu.Unlock()
	}
}
