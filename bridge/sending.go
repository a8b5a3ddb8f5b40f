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

// sendWithin is how long a command may take from being read to being sent. After that
// it is not sent.
const sendWithin = 900 * time.Millisecond

// sending is a client's command on its way to the broker.
type sending struct {
	actor.Command
	conn    engine.Conn // the zero value over HTTP
	client  *client
	came    time.Time // when it was read
	expires time.Time // not sent after this; zero without expires_at
	flight  *hub.Command
	tracked *hub.ResultWaiter // its v1 waiter, if any
}

func (s *sending) key() hub.CommandKey { return hub.CommandKey{ID: s.CommandID, Consumer: s.Consumer} }

// message is what is published, with what decides when its turn comes, and whether it
// is still sent then. Of the command string the sending keeps no more than its
// beginning, for the log: a long one must not stay until its outcome.
func (s *sending) message(from amqpx.Sender) amqpx.Message {
	m := s.Message()
	if len(s.CommandString) > maxVerb {
		s.CommandString = strings.Clone(s.CommandString[:maxVerb])
	}
	m.From, m.Party, m.Deadline = from, s.flight.Party(), s.came.Add(sendWithin)
	if !s.expires.IsZero() && s.expires.Before(m.Deadline) {
		m.Deadline = s.expires
	}
	return m
}

// publish sends the command and tells its sender the outcome.
func (b *Bridge) publish(s *sending) {
	s.client.commands.Add(1)
	if s.client.leaving() { // it began to leave after the command was read
		b.logCommand(s, "leaving")
		b.failed(s, "leaving", leavingWords, false)
		s.client.ended(s.conn)
		return
	}
	err := b.link.Publish(s.message(s.client), func(o amqpx.Outcome) {
		b.settled(s, o)
		switch o {
		case amqpx.Confirmed:
			s.client.ended(s.conn)
		case amqpx.Returned:
			b.failForAll(s)
		default:
			b.failed(s, o.String(), actor.CommandFailure(o, s.Consumer), o.InDoubt())
			s.client.ended(s.conn)
		}
	})
	if err != nil {
		// AMQP cannot carry it although Check passed, or the broker forbids it for this
		// user: the sender is told even with --clu-strict.
		b.metrics.refused.Inc()
		b.logCommand(s, "invalid")
		b.failed(s, "invalid", err.Error(), false)
		s.client.ended(s.conn)
	}
}

// settled counts and logs the outcome of a command's publishing.
func (b *Bridge) settled(s *sending, o amqpx.Outcome) {
	b.metrics.commands[o].Inc()
	b.logCommand(s, o.String())
	if o != amqpx.Confirmed && o != amqpx.Returned {
		b.failures.note(o.String(), "consumer", s.Consumer, "command_id", s.CommandID, "client", s.client.Remote())
	}
}

// fromBridge is the sender of the bridge's own messages, with turns of its own.
type fromBridge struct{}

// Gone implements [amqpx.Sender].
func (fromBridge) Gone() bool { return false }

// failForAll publishes the failed reply of a command without a consumer, so that every
// client and every other program on the exchange sees it fail. Beyond the failure rate
// only the sender is told.
func (b *Bridge) failForAll(s *sending) {
	if !b.failureRate.allows(quota.Address(s.client.Remote())) {
		b.failed(s, amqpx.Returned.String(), actor.UnroutableText(s.Consumer), false)
		s.client.ended(s.conn)
		return
	}
	b.publishFailure(s, pendingReturn{
		tell: func() {
			b.failed(s, amqpx.Returned.String(), actor.UnroutableText(s.Consumer), false)
		},
		done: func() { s.client.ended(s.conn) },
	})
}

// publishFailure publishes that reply. The command is under way until it comes back.
func (b *Bridge) publishFailure(s *sending, r pendingReturn) {
	msg := s.Unroutable(b.cfg.Name)
	msg.From, msg.Party = fromBridge{}, fromBridge{}
	b.pendingReturns.expect(msg.MessageId, s.came, r)
	err := b.link.Publish(msg, func(o amqpx.Outcome) { b.pendingReturns.published(msg.MessageId, o) })
	if err != nil {
		b.pendingReturns.published(msg.MessageId, amqpx.Away) // nothing was sent
	}
}

// ended notes that a command has its outcome. A leaving or closing client goes with its
// last one.
func (c *client) ended(conn engine.Conn) {
	if c.commands.Add(-1) > 0 {
		return
	}
	if c.leaving() {
		c.goAway(conn)
	}
	if c.ending() {
		conn.Finish()
	}
}

// failed tells the sender that a command failed or is in doubt. This also completes its
// waiter. In doubt, replies may still come, and belong to the command.
func (b *Bridge) failed(s *sending, code, message string, inDoubt bool) {
	waited := b.hub.Inflight.Failed(s.flight, inDoubt)
	if s.tracked == nil {
		b.fail(s.conn, s.client, s.CommandID, code, message)
		return
	}
	if waited { // else the end was told already
		s.conn.Send(protocol.Encode(protocol.Error{Op: "error", ID: s.tracked.ID, CommandID: s.CommandID, Code: code, Message: message}))
	}
}
