package bridge

import (
	"bytes"
	"errors"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/model"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/inorder"
)

// incoming is a message from a client, with its time of arrival, which decides whether it is
// late.
type incoming struct {
	payload    []byte
	receivedAt time.Time      // when it was read
	late       time.Duration  // length of a pause during which it may have waited in the socket
	queued     bool           // it has waited for the client's subscriptions
	entry      *inorder.Entry // its place, if it waited behind one about which an application decides
}

// dispatchMessage handles a message. It runs on a loop or on the hub's queue.
func (b *Bridge) dispatchMessage(conn engine.Conn, c *client, in incoming) {
	if b.afterAsked(conn, c, in) {
		return
	}
	message, err := protocol.Parse(in.payload)
	op, ok := message["op"]
	if isCommand := !ok || string(op) == `"command"`; isCommand && err == nil && b.deferBehindSubscribe(conn, c, in) {
		return
	}
	if string(op) != `"auth"` { // which keeps the client here
		if err := b.takeMessage(c); err != nil {
			b.refuseMessage(conn, c, message, err)
			return
		}
	}
	if err != nil {
		b.refuse(conn, c, "", err)
		return
	}
	switch {
	case !ok:
		b.command(conn, c, message, in)
	case c.v1.Load() == nil: // this message switches the client to v1
		s := b.switchToV1(conn, c)
		b.deferPreHello(conn, c, s, in)
	default:
		b.request(conn, c, op, message, in)
	}
}

// switchToV1 begins the session of a client that has been a plain one.
func (b *Bridge) switchToV1(conn engine.Conn, c *client) *hub.Session {
	defer c.lockAccess()()
	s := b.addSession(c)
	b.greet(conn, c, s, &hub.ConnectRequest{})
	return s
}

// deferPreHello defers a message until the client's hello has been sent. It returns false if
// there is nothing to wait for.
func (b *Bridge) deferPreHello(conn engine.Conn, c *client, s *hub.Session, in incoming) bool {
	waits, err := b.hub.BeforeHello(s, len(in.payload), func() func() {
		in.payload = bytes.Clone(in.payload)
		return func() {
			if !c.Gone() {
				b.dispatchMessage(conn, c, in)
			}
		}
	})
	if err != nil {
		conn.Close(policyViolation, err.Error())
	}
	return waits
}

// deferBehindSubscribe defers a command until the client's subscriptions before it have begun, which bring the replies
// to it. It returns false if there is nothing to wait for.
func (b *Bridge) deferBehindSubscribe(conn engine.Conn, c *client, in incoming) bool {
	s := c.v1.Load()
	if s == nil || in.queued {
		return false
	}
	waits, err := b.hub.BehindSubscribe(s, len(in.payload), func() func() {
		in.payload, in.queued = bytes.Clone(in.payload), true
		return func() {
			if !c.Gone() {
				b.dispatchMessage(conn, c, in)
			}
		}
	})
	if err != nil {
		conn.Close(policyViolation, err.Error())
	}
	return waits
}

// policyViolation is the close code for a client that has too many unanswered requests
// (RFC 6455, 7.4.1).
const policyViolation = 1008

// command sends a client's command in CLU's own form.
func (b *Bridge) command(conn engine.Conn, c *client, message protocol.Fields, in incoming) {
	s, err := b.readCommand(conn, c, message, in)
	if err != nil {
		b.reject(s, err)
		return
	}
	b.askCommand(s, func(err error) {
		if err == nil {
			s.flight, err = b.hub.Inflight.Add(c, s.key(), nil)
		}
		if err != nil {
			b.reject(s, err)
			return
		}
		b.publish(s)
	})
}

// errQuestionID is the error for a client's command whose replies would count as the answer to a
// question of the bridge, and be in no snapshot.
var errQuestionID = &protocol.Rejection{Code: protocol.CodeInUse, Message: `The command was not sent: a command_id of "model-" and a UUID is the bridge's own; choose another, or leave it out.`}

const leavingMessage = "The command was not sent: " + goingAwayReason + "."

// readCommand reads a command and checks that the client may send it now. Even with an
// error it returns the command's id, if that could be read.
func (b *Bridge) readCommand(conn engine.Conn, c *client, message protocol.Fields, in incoming) (*outgoing, error) {
	s := &outgoing{conn: conn, client: c, receivedAt: in.receivedAt, entry: in.entry}
	ahead := b.hub.Ahead()
	r, err := message.Command(in.receivedAt.Add(ahead))
	if len(r.ID) <= amqpx.MaxShortString { // no command has a longer one
		s.CommandID = r.ID
	}
	if err != nil {
		return s, err
	}
	if model.IsQuestion(r.ID) {
		return s, errQuestionID
	}
	command := actor.NewCommand(b.cfg.Name, r.Consumer, r.String, r.ID)
	if s.principal = c.principal(); s.principal != nil {
		command.User = s.principal.Name
	}
	if err := command.Validate(); err != nil {
		return s, err
	}
	s.Command = command
	if s.expires = r.ExpiresAt; !s.expires.IsZero() {
		s.expires = s.expires.Add(-ahead)
	}
	if err := tooLate(in, b.cfg.within, s.expires); err != nil {
		return s, err
	}
	if c.leaving() {
		return s, &protocol.Rejection{Code: protocol.CodeLeaving, Message: leavingMessage}
	}
	d := b.decide(c, s.request())
	if s.rule = d.Rule; !d.Allowed {
		return s, forbidden(d)
	}
	if err := b.takeCommand(c); err != nil {
		return s, err
	}
	if b.asks(opCommand) {
		s.extra, err = readExtra(message)
	}
	return s, err
}

// reject answers a command that is not sent. In strict mode, bad input gets no answer.
func (b *Bridge) reject(s *outgoing, err error) {
	if r, ok := errors.AsType[*protocol.Rejection](err); ok {
		b.noteRejected(s, r)
		b.fail(s.conn, s.client, s.CommandID, r.Code, r.Message)
		return
	}
	b.refuse(s.conn, s.client, s.CommandID, err)
}

// refuseMessage answers a message that is not read.
func (b *Bridge) refuseMessage(conn engine.Conn, c *client, message protocol.Fields, err error) {
	b.metrics.refused.Inc()
	id, _ := message.ID() // without a valid id, the answer has none
	if c.v1.Load() != nil {
		conn.Send(protocol.BadRequest(id, err))
		return
	}
	conn.Send(b.errorFrame("", err.Error()))
}

// refuse answers bad input. In strict mode, a plain client gets no answer.
func (b *Bridge) refuse(conn engine.Conn, c *client, commandID string, err error) {
	b.metrics.refused.Inc()
	if !b.cfg.Strict || c.v1.Load() != nil {
		b.fail(conn, c, commandID, protocol.CodeBadRequest, err.Error())
	}
}

// fail tells a client that its message failed. A plain client gets a failed reply.
func (b *Bridge) fail(conn engine.Conn, c *client, commandID, code, message string) {
	if c.v1.Load() != nil {
		conn.Send(protocol.Encode(protocol.Error{Op: "error", CommandID: commandID, Code: code, Message: message}))
		return
	}
	conn.Send(b.errorFrame(commandID, message))
}

// errorFrame returns an error envelope from the bridge to one client.
func (b *Bridge) errorFrame(commandID, message string) engine.Frame {
	buf := make([]byte, engine.MaxHeaderSize, engine.MaxHeaderSize+envelopeRoom+len(message))
	return engine.Must(engine.NewText(b.cfg.Envelope.AppendError(buf, b.cfg.Name, commandID, message, time.Now())))
}
