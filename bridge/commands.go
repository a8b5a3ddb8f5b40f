package bridge

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
)

// Message takes a client's command or request, or tells it what is wrong.
func (b *Bridge) Message(conn engine.Conn, v any, m engine.Message) {
	c, payload := v.(*client), m.Payload
	if c.guest != nil {
		b.roomMessage(conn)
		return
	}
	if string(bytes.Trim(payload, " \t\r\n")) == "ping" && !b.cfg.Strict {
		conn.Send(engine.Text("pong")) // for people typing
		return
	}
	if s := c.v1.Load(); s != nil && b.waits(conn, c, s, payload) {
		return
	}
	b.take(conn, c, payload)
}

// take does what a message asks for. It runs on a loop, or on the desk.
func (b *Bridge) take(conn engine.Conn, c *client, payload []byte) {
	message, err := parseMessage(payload)
	if err != nil {
		b.refuse(conn, c, "", err)
		return
	}
	op, ok := message["op"]
	switch {
	case !ok:
		b.command(conn, c, message)
	case c.v1.Load() == nil: // with this message it speaks v1
		s := b.newSession(c)
		b.desk.do(func() { b.greet(conn, &arrival{session: s}) })
		b.waits(conn, c, s, payload)
	default:
		b.request(conn, c, op, message)
	}
}

// command takes a client's command in CLU's own form.
func (b *Bridge) command(conn engine.Conn, c *client, message fields) {
	command, err := b.readCommand(c, message)
	if err != nil {
		b.reject(conn, c, command.CommandID, err)
		return
	}
	var mine *owned
	if s := c.v1.Load(); s != nil {
		mine = &owned{session: s, conn: conn}
		// An error means that the replies are not known as its own.
		_ = b.hub.own.add(command.CommandID, mine)
	}
	b.publish(conn, c, command, mine)
}

const leavingWords = "The command was not sent: " + goingAwayWords + "."

// rejection is why a command is not sent, and its code for v1 clients.
type rejection struct{ code, words string }

func (r *rejection) Error() string { return r.words }

// readCommand reads a command that the client may send now. On an error the
// command still has its id, if that could be read.
func (b *Bridge) readCommand(c *client, message fields) (actor.Command, error) {
	r, err := message.request()
	if err != nil {
		return actor.Command{CommandID: r.commandID}, err
	}
	command := actor.NewCommand(b.cfg.Name, r.consumer, r.commandString, r.commandID)
	if err := command.Check(); err != nil {
		return actor.Command{CommandID: r.commandID}, err
	}
	if c.leaving.Load() {
		return command, &rejection{"leaving", leavingWords}
	}
	if err := allow(c, command); err != nil {
		return command, &rejection{"forbidden", err.Error()}
	}
	return command, nil
}

// reject answers a command that is not sent. Bad input meets CLU's silence, where
// that was asked for.
func (b *Bridge) reject(conn engine.Conn, c *client, commandID string, err error) {
	if r, ok := errors.AsType[*rejection](err); ok {
		b.metrics.refused.Inc()
		b.fail(conn, c, commandID, r.code, r.words)
		return
	}
	b.refuse(conn, c, commandID, err)
}

// allow decides who may send what: it is the one place that does. Today
// everyone may do everything.
func allow(*client, actor.Command) error { return nil }

// publish sends the command and sees to it that its sender hears of its end.
func (b *Bridge) publish(conn engine.Conn, c *client, command actor.Command, mine *owned) {
	c.commands.Add(1)
	if c.leaving.Load() { // since it was read
		b.failed(conn, c, command.CommandID, mine, "leaving", leavingWords)
		c.ended(conn)
		return
	}
	came := time.Now()
	err := b.link.Publish(command.Message(), func(o amqpx.Outcome) {
		b.metrics.commands[o].Inc()
		switch o {
		case amqpx.Confirmed:
			c.ended(conn)
		case amqpx.Returned:
			b.failForAll(conn, c, command, mine, came)
		default:
			b.failures.note(o.String(), "consumer", command.Consumer, "command_id", command.CommandID, "client", c.remote)
			b.failed(conn, c, command.CommandID, mine, o.String(), actor.CommandFailure(o, command.Consumer))
			c.ended(conn)
		}
	})
	if err != nil {
		// AMQP cannot carry it, although Check found nothing, or the broker does not take
		// it from this user: no silence for that.
		b.metrics.refused.Inc()
		b.failed(conn, c, command.CommandID, mine, "invalid", err.Error())
		c.ended(conn)
	}
}

// failForAll publishes the failed reply of a command that nobody listens to, so
// that every client and every other program on the exchange sees it fail.
func (b *Bridge) failForAll(conn engine.Conn, c *client, command actor.Command, mine *owned, came time.Time) {
	msg := command.Unroutable(b.cfg.Name)
	b.unroutables.expect(msg.MessageId, came, unroutable{
		tell: func() {
			b.failed(conn, c, command.CommandID, mine, amqpx.Returned.String(), actor.UnroutableText(command.Consumer))
		},
		done: func() { c.ended(conn) },
	})
	err := b.link.Publish(msg, func(o amqpx.Outcome) { b.unroutables.published(msg.MessageId, o) })
	if err != nil {
		b.unroutables.published(msg.MessageId, amqpx.Away) // nothing was sent
	}
}

// ended notes that a command has its outcome. A client that is to leave goes
// with the last.
func (c *client) ended(conn engine.Conn) {
	if c.commands.Add(-1) == 0 && c.leaving.Load() {
		c.goAway(conn)
	}
}

// refuse answers bad input, unless CLU's silence was asked for.
func (b *Bridge) refuse(conn engine.Conn, c *client, commandID string, err error) {
	b.metrics.refused.Inc()
	if !b.cfg.Strict || c.v1.Load() != nil {
		b.fail(conn, c, commandID, "bad_request", err.Error())
	}
}

// failed tells the sender of a command that did not get through. Whoever waits for
// its end has it with that.
func (b *Bridge) failed(conn engine.Conn, c *client, commandID string, mine *owned, code, message string) {
	here := b.hub.own.forget(commandID, mine)
	if mine != nil && mine.asked != nil {
		if here { // else it has heard of an end already
			conn.Send(frameOf(errorMessage{Op: "error", ID: mine.asked.id, CommandID: commandID, Code: code, Message: message}))
		}
		return
	}
	b.fail(conn, c, commandID, code, message)
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
	return engine.Seal(b.cfg.Envelope.AppendError(buf, b.cfg.Name, commandID, message, time.Now()))
}

// trackedCommand takes a command whose sender wants to hear of its end.
func (b *Bridge) trackedCommand(s *session, r opRequest) error {
	command, err := b.readCommand(r.client, r.fields)
	if err == nil {
		err = b.track(s, r, command)
	}
	if no, ok := errors.AsType[*rejection](err); ok {
		r.conn.Send(frameOf(errorMessage{Op: "error", ID: r.id, CommandID: command.CommandID, Code: no.code, Message: no.words}))
		return nil
	}
	return err
}

// track notes who waits for the command's end, and sends it.
func (b *Bridge) track(s *session, r opRequest, command actor.Command) error {
	var ms int
	if err := optional(r.fields, "timeout_ms", "a whole number of milliseconds", &ms); err != nil {
		return err
	}
	if ms < 0 || ms > int(longestWait/time.Millisecond) {
		return fmt.Errorf("timeout_ms is %d; it may be from 1 to %d, or absent for that", ms, longestWait/time.Millisecond)
	}
	wait := longestWait
	if ms > 0 {
		wait = time.Duration(ms) * time.Millisecond
	}
	mine := &owned{session: s, conn: r.conn, asked: &asked{id: r.id, began: time.Now()}}
	mine.asked.timeout = func() (stop func() bool) {
		// Nothing may come before it: the time begins here, and the end may be near.
		r.conn.Send(frameOf(okMessage{Op: "ok", ID: r.id, CommandID: command.CommandID}))
		return afterFunc(wait, func() { b.hub.timeout(command.CommandID, mine) })
	}
	if err := b.hub.own.add(command.CommandID, mine); err != nil {
		return err
	}
	b.publish(r.conn, r.client, command, mine)
	return nil
}
