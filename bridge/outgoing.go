package bridge

import (
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/quota"
)

// sendWithin is how long after being read a command may be sent.
const sendWithin = 900 * time.Millisecond

// outgoing is a client's command on its way to the broker.
type outgoing struct {
	actor.Command
	conn       engine.Conn // the zero value over HTTP
	client     *client
	receivedAt time.Time // when it was read
	expires    time.Time // not sent after this time; zero without expires_at
	flight     *hub.Command
	tracked    *hub.ResultWaiter // waits for its end; nil unless it is a tracked command
}

func (s *outgoing) key() hub.CommandKey { return hub.CommandKey{ID: s.CommandID, Consumer: s.Consumer} }

// message returns the message to publish, with its party and its deadline. It keeps only the
// beginning of the command string, for the log: a long one need not stay in memory until the
// outcome.
func (s *outgoing) message(from amqpx.Sender) amqpx.Message {
	m := s.Message()
	if len(s.CommandString) > maxVerbScan {
		s.CommandString = strings.Clone(s.CommandString[:maxVerbScan])
	}
	m.From, m.Tenant, m.Deadline = from, s.flight.Party(), s.receivedAt.Add(sendWithin)
	if !s.expires.IsZero() && s.expires.Before(m.Deadline) {
		m.Deadline = s.expires
	}
	return m
}

// publish sends the command and tells its sender the outcome.
func (b *Bridge) publish(s *outgoing) {
	s.client.commands.Add(1)
	if s.client.leaving() { // since the command was read
		b.logCommand(s, protocol.CodeLeaving)
		b.failTracked(s, protocol.CodeLeaving, leavingMessage, false)
		s.client.commandDone(s.conn)
		return
	}
	err := b.link.Publish(s.message(s.client), func(o amqpx.Outcome) {
		b.recordOutcome(s, o)
		switch o {
		case amqpx.Confirmed:
			s.client.commandDone(s.conn)
		case amqpx.Returned:
			b.failPublicly(s)
		default:
			b.failTracked(s, o.String(), actor.OutcomeText(o, s.Consumer), o.InDoubt())
			s.client.commandDone(s.conn)
		}
	})
	if err != nil {
		// AMQP cannot carry it although Validate passed, or the broker forbids it to this user:
		// the sender is told even in strict mode.
		b.metrics.refused.Inc()
		b.logCommand(s, "invalid")
		b.failTracked(s, "invalid", err.Error(), false)
		s.client.commandDone(s.conn)
	}
}

// recordOutcome counts and logs the outcome of a command's publishing.
func (b *Bridge) recordOutcome(s *outgoing, o amqpx.Outcome) {
	b.metrics.commands[o].Inc()
	b.logCommand(s, o.String())
	if o != amqpx.Confirmed && o != amqpx.Returned {
		b.failures.note(o.String(), "consumer", s.Consumer, "command_id", s.CommandID, "client", s.client.Remote())
	}
}

// fromBridge is the sender of the bridge's own messages. It is a separate party.
type fromBridge struct{}

// Gone implements [amqpx.Sender].
func (fromBridge) Gone() bool { return false }

// failPublicly publishes the failed reply of a command without a consumer, so that every
// client and every other program on the exchange sees it fail. Above the failure rate, only
// the sender is told.
func (b *Bridge) failPublicly(s *outgoing) {
	if !b.failureRate.allow(quota.Address(s.client.Remote())) {
		b.failTracked(s, amqpx.Returned.String(), actor.UnroutableText(s.Consumer), false)
		s.client.commandDone(s.conn)
		return
	}
	b.publishFailedReply(s, pendingReturn{
		report: func() {
			b.failTracked(s, amqpx.Returned.String(), actor.UnroutableText(s.Consumer), false)
		},
		done: func() { s.client.commandDone(s.conn) },
	})
}

// publishFailedReply publishes that reply. The command has no outcome until the reply comes
// back.
func (b *Bridge) publishFailedReply(s *outgoing, r pendingReturn) {
	msg := s.UnroutableReply(b.cfg.Name)
	msg.From, msg.Tenant = fromBridge{}, fromBridge{}
	b.pendingReturns.expect(msg.MessageId, s.receivedAt, r)
	err := b.link.Publish(msg, func(o amqpx.Outcome) { b.pendingReturns.published(msg.MessageId, o) })
	if err != nil {
		b.pendingReturns.published(msg.MessageId, amqpx.Disconnected) // nothing was sent
	}
}

// commandDone notes that a command has its outcome. After its last one, a leaving or closing
// client is closed.
func (c *client) commandDone(conn engine.Conn) {
	if c.commands.Add(-1) > 0 {
		return
	}
	if c.leaving() {
		c.goAway(conn)
	}
	if c.closing() {
		conn.Finish()
	}
}

// failTracked tells the sender that a command failed or is in doubt. This also completes its
// waiter. If it is in doubt, replies to it may still come.
func (b *Bridge) failTracked(s *outgoing, code, message string, inDoubt bool) {
	waited := b.hub.Inflight.Failed(s.flight, inDoubt)
	if s.tracked == nil {
		b.fail(s.conn, s.client, s.CommandID, code, message)
		return
	}
	if waited { // otherwise it was already told an end
		s.conn.Send(protocol.Encode(protocol.Error{Op: "error", ID: s.tracked.ID, CommandID: s.CommandID, Code: code, Message: message}))
	}
}
