package bridge

import (
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
)

// client is a WebSocket client.
type client struct{ remote string }

// Accept lets every upgrade in, on any path, as CLU does.
func (b *Bridge) Accept(r *engine.Request) (engine.Welcome, error) {
	return engine.Welcome{Log: b.all, Session: &client{remote: r.RemoteAddr().String()}}, nil
}

// Open has nothing to say: a plain client hears replies and nothing else.
func (b *Bridge) Open(engine.Conn, any) {}

// Closed has nothing to forget.
func (b *Bridge) Closed(engine.Conn, any, int, string) {}

// Message takes a client's command, or tells it what is wrong.
func (b *Bridge) Message(c engine.Conn, session any, payload []byte) {
	if string(payload) == "ping" && !b.cfg.Strict {
		c.Send(engine.Text("pong")) // for people typing
		return
	}
	r, err := parseRequest(payload)
	if err != nil {
		b.refuse(c, r.commandID, err)
		return
	}
	command := actor.NewCommand(b.cfg.Name, r.consumer, r.commandString, r.commandID)
	if err := command.Check(); err != nil {
		b.refuse(c, r.commandID, err)
		return
	}
	if err := allow(session.(*client), command); err != nil {
		b.fail(c, command.CommandID, err.Error())
		return
	}
	b.publish(c, session.(*client), command)
}

// allow decides who may send what: it is the one place that does. Today
// everyone may do everything.
func allow(*client, actor.Command) error { return nil }

// publish sends the command and sees to it that its sender hears of its end.
func (b *Bridge) publish(c engine.Conn, from *client, command actor.Command) {
	came := time.Now()
	err := b.link.Publish(command.Message(), func(o amqpx.Outcome) {
		switch o {
		case amqpx.Confirmed:
		case amqpx.Returned:
			b.failForAll(c, command, came)
		default:
			b.log.Warn("a command failed", "outcome", o.String(), "consumer", command.Consumer,
				"command_id", command.CommandID, "client", from.remote)
			b.fail(c, command.CommandID, actor.CommandFailure(o, command.Consumer))
		}
	})
	if err != nil {
		// AMQP cannot carry it, although Check found nothing: no silence for that.
		b.fail(c, command.CommandID, err.Error())
	}
}

// failForAll publishes the failed reply of a command that nobody listens to, so
// that every client and every other program on the exchange sees it fail.
func (b *Bridge) failForAll(c engine.Conn, command actor.Command, came time.Time) {
	msg := command.Unroutable(b.cfg.Name)
	b.unroutables.expect(msg.MessageId, came, func() {
		b.fail(c, command.CommandID, actor.UnroutableText(command.Consumer))
	})
	err := b.link.Publish(msg, func(o amqpx.Outcome) { b.unroutables.published(msg.MessageId, o) })
	if err != nil {
		b.unroutables.published(msg.MessageId, amqpx.Away) // nothing was sent
	}
}

// refuse answers bad input, unless CLU's silence was asked for.
func (b *Bridge) refuse(c engine.Conn, commandID string, err error) {
	if !b.cfg.Strict {
		b.fail(c, commandID, err.Error())
	}
}

// fail tells one client, in the shape of a failed reply, what became of its message.
func (b *Bridge) fail(c engine.Conn, commandID, message string) {
	c.Send(b.errorFrame(commandID, message))
}

// errorFrame is an error envelope from the bridge to one client.
func (b *Bridge) errorFrame(commandID, message string) engine.Frame {
	buf := make([]byte, engine.HeaderRoom, engine.HeaderRoom+envelopeRoom+len(message))
	return engine.Seal(b.cfg.Envelope.AppendError(buf, b.cfg.Name, commandID, message, time.Now()))
}
