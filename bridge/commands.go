package bridge

import (
	"bytes"
	"errors"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
)

// incoming is when a message from a client came, which decides whether it is too late.
type incoming struct {
	payload []byte
	came    time.Time     // when it was read
	stalled time.Duration // length of the stall in which it may have waited in the socket
}

// Message takes a client's command or request, or tells it what is wrong.
func (b *Bridge) Message(conn engine.Conn, v any, m engine.Message) {
	c := v.(*client)
	if c.guest() != nil {
		b.roomMessage(conn)
		return
	}
	if string(bytes.Trim(m.Payload, " \t\r\n")) == "ping" && !b.cfg.Strict {
		conn.Send(engine.Text("pong")) // for people typing
		return
	}
	in := incoming{m.Payload, time.Now(), m.Stalled}
	if s := c.v1.Load(); s != nil && b.waits(conn, c, s, in) {
		return
	}
	b.take(conn, c, in)
}

// take does what a message asks for. It runs on a loop, or on the desk.
func (b *Bridge) take(conn engine.Conn, c *client, in incoming) {
	message, err := parseMessage(in.payload)
	if err != nil {
		b.refuse(conn, c, "", err)
		return
	}
	op, ok := message["op"]
	switch {
	case !ok:
		b.command(conn, c, message, in)
	case c.v1.Load() == nil: // with this message it speaks v1
		s := b.newSession(c)
		b.desk.do(func() { b.greet(conn, &arrival{session: s}) })
		b.waits(conn, c, s, in)
	default:
		b.request(conn, c, op, message, in)
	}
}

// command takes a client's command in CLU's own form.
func (b *Bridge) command(conn engine.Conn, c *client, message fields, in incoming) {
	s, err := b.readCommand(conn, c, message, in)
	if err == nil {
		s.flight, err = b.hub.inflight.add(c, s.key(), nil)
	}
	if err != nil {
		b.reject(s, err)
		return
	}
	b.publish(s)
}

const leavingWords = "The command was not sent: " + goingAwayWords + "."

// rejection is why a command is not sent, and its code for v1 clients.
type rejection struct{ code, words string }

func (r *rejection) Error() string { return r.words }

// readCommand reads a command that the client may send now. On an error the
// command still has its id, if that could be read.
func (b *Bridge) readCommand(conn engine.Conn, c *client, message fields, in incoming) (*sending, error) {
	s := &sending{conn: conn, client: c, came: in.came}
	r, err := message.request()
	if len(r.commandID) <= amqpx.MaxShortString { // a longer one is never a command's
		s.CommandID = r.commandID
	}
	if err != nil {
		return s, err
	}
	command := actor.NewCommand(b.cfg.Name, r.consumer, r.commandString, r.commandID)
	if err := command.Check(); err != nil {
		return s, err
	}
	s.Command, s.expires = command, r.expires
	if err := tooLate(in, s.expires); err != nil {
		return s, err
	}
	if c.leaving() {
		return s, &rejection{"leaving", leavingWords}
	}
	if err := allow(c, s.Command); err != nil {
		return s, &rejection{"forbidden", err.Error()}
	}
	return s, nil
}

// reject answers a command that is not sent. Bad input meets CLU's silence, where
// that was asked for.
func (b *Bridge) reject(s *sending, err error) {
	if r, ok := errors.AsType[*rejection](err); ok {
		b.metrics.refused.Inc()
		b.logCommand(s, r.code)
		b.fail(s.conn, s.client, s.CommandID, r.code, r.words)
		return
	}
	b.refuse(s.conn, s.client, s.CommandID, err)
}

// allow decides who may send what: it is the one place that does. Today
// everyone may do everything.
func allow(*client, actor.Command) error { return nil }

// refuse answers bad input, unless CLU's silence was asked for.
func (b *Bridge) refuse(conn engine.Conn, c *client, commandID string, err error) {
	b.metrics.refused.Inc()
	if !b.cfg.Strict || c.v1.Load() != nil {
		b.fail(conn, c, commandID, "bad_request", err.Error())
	}
}

// fail tells one client what became of its message: a plain one in the shape of
// a failed reply.
func (b *Bridge) fail(conn engine.Conn, c *client, commandID, code, message string) {
	if c.v1.Load() != nil {
		conn.Send(frameOf(errorMessage{Op: "error", CommandID: commandID, Code: code, Message: message}))
		return
	}
	conn.Send(b.errorFrame(commandID, message))
}

// errorFrame is an error envelope from the bridge to one client.
func (b *Bridge) errorFrame(commandID, message string) engine.Frame {
	buf := make([]byte, engine.HeaderRoom, engine.HeaderRoom+envelopeRoom+len(message))
	return engine.Must(engine.Seal(b.cfg.Envelope.AppendError(buf, b.cfg.Name, commandID, message, time.Now())))
}
