package bridge

import (
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
)

// Message takes a client's command or request, or tells it what is wrong.
func (b *Bridge) Message(conn engine.Conn, v any, payload []byte) {
	c := v.(*client)
	if string(payload) == "ping" && !b.cfg.Strict {
		conn.Send(engine.Text("pong")) // for people typing
		return
	}
	message, err := parseMessage(payload)
	if err != nil {
		b.refuse(conn, c, "", err)
		return
	}
	if op, ok := message["op"]; ok {
		b.request(conn, c, op, message)
		return
	}
	b.command(conn, c, message)
}

// command takes a client's command.
func (b *Bridge) command(conn engine.Conn, c *client, message fields) {
	r, err := message.request()
	if err != nil {
		b.refuse(conn, c, r.commandID, err)
		return
	}
	command := actor.NewCommand(b.cfg.Name, r.consumer, r.commandString, r.commandID)
	if err := command.Check(); err != nil {
		b.refuse(conn, c, r.commandID, err)
		return
	}
	if c.leaving.Load() {
		b.fail(conn, c, command.CommandID, "leaving", "The command was not sent: "+goingAwayWords+".")
		return
	}
	if err := allow(c, command); err != nil {
		b.metrics.refused.Inc()
		b.fail(conn, c, command.CommandID, "forbidden", err.Error())
		return
	}
	b.publish(conn, c, command)
}

// allow decides who may send what: it is the one place that does. Today
// everyone may do everything.
func allow(*client, actor.Command) error { return nil }

// publish sends the command and sees to it that its sender hears of its end.
func (b *Bridge) publish(conn engine.Conn, c *client, command actor.Command) {
	c.commands.Add(1)
	came := time.Now()
	err := b.link.Publish(command.Message(), func(o amqpx.Outcome) {
		b.metrics.commands[o].Inc()
		switch o {
		case amqpx.Confirmed:
			c.ended(conn)
		case amqpx.Returned:
			b.failForAll(conn, c, command, came)
		default:
			b.failures.note(o.String(), "consumer", command.Consumer, "command_id", command.CommandID, "client", c.remote)
			b.fail(conn, c, command.CommandID, o.String(), actor.CommandFailure(o, command.Consumer))
			c.ended(conn)
		}
	})
	if err != nil {
		// AMQP cannot carry it, although Check found nothing: no silence for that.
		b.fail(conn, c, command.CommandID, "invalid", err.Error())
		c.ended(conn)
	}
}

// failForAll publishes the failed reply of a command that nobody listens to, so
// that every client and every other program on the exchange sees it fail.
func (b *Bridge) failForAll(conn engine.Conn, c *client, command actor.Command, came time.Time) {
	msg := command.Unroutable(b.cfg.Name)
	b.unroutables.expect(msg.MessageId, came, unroutable{
		tell: func() {
			b.fail(conn, c, command.CommandID, amqpx.Returned.String(), actor.UnroutableText(command.Consumer))
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
