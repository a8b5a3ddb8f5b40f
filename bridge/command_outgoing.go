package bridge

import (
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/inorder"
)

// sendWithin is how long after being read a command may be sent. Its sender is told as soon if it
// has no consumer, although that takes two messages to the broker.
const sendWithin = 900 * time.Millisecond

// outgoing is a client's command on its way to the broker.
type outgoing struct {
	actor.Command
	conn       engine.Conn // the zero value over HTTP
	client     *client
	receivedAt time.Time      // when it was read
	entry      *inorder.Entry // see [incoming]
	expires    time.Time      // not sent after this time; zero without expires_at
	flight     *hub.Command
	tracked    *hub.ResultWaiter                  // waits for its end; nil unless it is a tracked command
	principal  *access.Principal                  // who was allowed to send it
	rule       string                             // that allowed or refused it
	extra      []byte                             // the sender's object for the application that decides; nil if there is none
	data       []byte                             // the application's for the sender
	recorded   *audit.Command                     // as the audit log has it; nil without one
	forbidden  atomic.Pointer[protocol.Rejection] // why it may be sent no longer
}

// request returns what its sender wants to do.
func (s *outgoing) request() access.Request {
	return access.Request{Door: access.SendCommand, Consumer: s.Consumer, CommandString: s.CommandString}
}

func (s *outgoing) key() hub.CommandKey { return hub.CommandKey{ID: s.CommandID, Consumer: s.Consumer} }

// message returns the message to publish, with its party and its deadline: it may be sent within a
// time after it was read. It keeps only the beginning of the command string, for the log: a long
// one need not stay in memory until the outcome.
func (s *outgoing) message(from amqpx.Sender, within time.Duration) amqpx.Message {
	m := s.Message()
	if len(s.CommandString) > maxVerbScan {
		s.CommandString = strings.Clone(s.CommandString[:maxVerbScan])
	}
	m.From, m.Tenant, m.Deadline = from, s.flight.Party(), s.receivedAt.Add(within)
	if !s.expires.IsZero() && s.expires.Before(m.Deadline) {
		m.Deadline = s.expires
	}
	return m
}

// publish records the command, sends it and tells its sender the outcome.
func (b *Bridge) publish(s *outgoing) {
	s.client.commands.Add(1)
	b.recordCommand(s, func(err error) {
		if err == nil && s.client.leaving() { // it began to leave after the command was read
			err = &protocol.Rejection{Code: protocol.CodeLeaving, Message: leavingMessage}
		}
		if err == nil {
			err = b.publishRecorded(s)
		}
		if no, ok := errors.AsType[*protocol.Rejection](err); ok {
			// The sender is told even in strict mode.
			b.endCommand(s, no.Code)
			b.failCommand(s, no.Code, no.Message, false)
			s.client.commandDone(s.conn)
		}
	})
}

// publishRecorded sends a command. An error is a rejection.
func (b *Bridge) publishRecorded(s *outgoing) error {
	err := b.send(s, s.client, func(o amqpx.Outcome) {
		b.recordOutcome(s, o)
		switch o {
		case amqpx.Confirmed:
			s.client.commandDone(s.conn)
		case amqpx.Returned:
			b.failPublicly(s)
		default:
			code, text := s.failure(o)
			b.failCommand(s, code, text, o.InDoubt())
			s.client.commandDone(s.conn)
		}
	})
	if err != nil {
		// Either AMQP cannot carry it although Validate passed, or the broker does not permit it
		// to this user.
		b.metrics.refused.Inc()
		return &protocol.Rejection{Code: protocol.CodeInvalid, Message: err.Error()}
	}
	return nil
}

// send publishes a command, unless its sender has lost the right to by the time that it is sent.
func (b *Bridge) send(s *outgoing, from amqpx.Sender, done func(amqpx.Outcome)) error {
	b.hub.CommandSent(hub.SentCommand{CommandKey: s.key(), String: s.CommandString, Client: b.senderOf(s.client), Self: s.client.Self()})
	ended := func(o amqpx.Outcome) {
		if o != amqpx.Confirmed {
			_, text := s.failure(o)
			b.hub.CommandFailed(s.key(), text, o.InDoubt())
		}
		done(o)
	}
	var withdrawn func() bool
	if b.cfg.Access != nil {
		withdrawn = b.withdrawn(s)
	}
	m := s.message(from, b.cfg.within)
	m.Withdrawn = withdrawn
	err := b.link.Publish(m, ended)
	if err != nil {
		b.hub.CommandFailed(s.key(), err.Error(), false)
	}
	return err
}

// senderOf returns whose command it is, as others see it: the client's user, or else its id; "" over
// HTTP without a user.
func (b *Bridge) senderOf(c *client) string {
	if user := c.user(); user != "" || c.number == 0 {
		return user
	}
	return b.clientID(c.number)
}

// failure returns the code and the text of a command that was not confirmed.
func (s *outgoing) failure(o amqpx.Outcome) (code, text string) {
	if no := s.forbidden.Load(); no != nil && o == amqpx.Gone {
		return no.Code, no.Message
	}
	return o.String(), actor.OutcomeText(o, s.Consumer)
}

// withdrawn returns a function that reports whether a command may be sent no longer, because its
// sender's principal or grants have changed since it was read. It is called right before the
// command would be sent.
func (b *Bridge) withdrawn(s *outgoing) func() bool {
	request := s.request() // as long as it was
	return func() bool {
		if p, no := b.principalNow(s.client); no == nil && p == s.principal {
			return false
		}
		d := b.decide(s.client, request)
		if !d.Allowed {
			s.forbidden.Store(forbidden(d))
		}
		return !d.Allowed
	}
}

// recordOutcome counts and logs the outcome of a command's publishing.
func (b *Bridge) recordOutcome(s *outgoing, o amqpx.Outcome) {
	b.metrics.commands[o].Inc()
	code, _ := s.failure(o)
	b.endCommand(s, code)
	if o == amqpx.Returned {
		b.consumers.doubt(s.Consumer)
	}
	if o != amqpx.Confirmed && o != amqpx.Returned {
		b.failures.Note(o.String(), "consumer", s.Consumer, "command_id", s.CommandID, "client", s.client.Remote())
	}
}

// commandDone notes that a command has its outcome. After its last one, a closing client is
// closed. One that is leaving is closed by the drain.
func (c *client) commandDone(conn engine.Conn) {
	if c.commands.Add(-1) == 0 && c.closing() {
		conn.Finish()
	}
}

// failCommand tells the sender that a command failed or is in doubt. This also completes its
// waiter. If it is in doubt, replies to it may still come. If its last reply has come, nothing
// is in doubt, and the sender has heard how it ended.
func (b *Bridge) failCommand(s *outgoing, code, message string, inDoubt bool) {
	if inDoubt && b.hub.Inflight.Ended(s.flight) {
		return
	}
	waited := b.hub.Inflight.Failed(s.flight, inDoubt)
	if s.tracked == nil {
		b.fail(s.conn, s.client, s.CommandID, code, message)
		return
	}
	if waited { // otherwise it was already told an end
		s.conn.Send(protocol.Encode(protocol.Error{Op: "error", ID: s.tracked.ID, CommandID: s.CommandID, Code: code, Message: message}))
		s.client.results.Add(-1)
	}
}
