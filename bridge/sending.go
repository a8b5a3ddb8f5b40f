package bridge

import (
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
)

// sendWithin is how long a command may take from its reading to the broker. After that
// it is not sent, however it spent the time.
const sendWithin = 900 * time.Millisecond

// sending is a client's command on its way to the broker.
type sending struct {
	actor.Command
	conn    engine.Conn // of a client that has one
	client  *client
	came    time.Time // when it was read
	expires time.Time // after which it must not be sent; zero if its sender did not say
	flight  *command
	tracked *tracked // who waits for its end; nil if nobody does, or over HTTP
}

func (s *sending) key() commandKey { return commandKey{s.CommandID, s.Consumer} }

// message is what is published, with what decides when its turn comes, and whether it
// is still sent then. Of the command string the sending keeps no more than its
// beginning, for the log: a long one must not stay until its outcome.
func (s *sending) message(from amqpx.Sender) amqpx.Message {
	m := s.Message()
	if len(s.CommandString) > maxVerb {
		s.CommandString = strings.Clone(s.CommandString[:maxVerb])
	}
	m.From, m.Party, m.Deadline = from, s.flight.share, s.came.Add(sendWithin)
	if !s.expires.IsZero() && s.expires.Before(m.Deadline) {
		m.Deadline = s.expires
	}
	return m
}

// publish sends the command and sees to it that its sender hears of its end.
func (b *Bridge) publish(s *sending) {
	s.client.commands.Add(1)
	if s.client.leaving() { // since it was read
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
		// AMQP cannot carry it, although Check found nothing, or the broker does not take
		// it from this user: no silence for that.
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
		b.failures.note(o.String(), "consumer", s.Consumer, "command_id", s.CommandID, "client", s.client.remote)
	}
}

// fromBridge is who sends what the bridge has to say itself. It has turns of its own.
type fromBridge struct{}

// Gone implements [amqpx.Sender].
func (fromBridge) Gone() bool { return false }

// failForAll publishes the failed reply of a command that nobody listens to, so
// that every client and every other program on the exchange sees it fail. Who sends
// many of those is told alone.
func (b *Bridge) failForAll(s *sending) {
	if !b.failureRate.allows(sharer(s.client.remote)) {
		b.failed(s, amqpx.Returned.String(), actor.UnroutableText(s.Consumer), false)
		s.client.ended(s.conn)
		return
	}
	b.publishFailure(s, unroutable{
		tell: func() {
			b.failed(s, amqpx.Returned.String(), actor.UnroutableText(s.Consumer), false)
		},
		done: func() { s.client.ended(s.conn) },
	})
}

// publishFailure publishes that reply. The command is under way until it comes back.
func (b *Bridge) publishFailure(s *sending, r unroutable) {
	msg := s.Unroutable(b.cfg.Name)
	msg.From, msg.Party = fromBridge{}, fromBridge{}
	b.unroutables.expect(msg.MessageId, s.came, r)
	err := b.link.Publish(msg, func(o amqpx.Outcome) { b.unroutables.published(msg.MessageId, o) })
	if err != nil {
		b.unroutables.published(msg.MessageId, amqpx.Away) // nothing was sent
	}
}

// ended notes that a command has its outcome. A client that is to leave, or that has
// said goodbye, goes with the last.
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

// failed tells the sender of a command that did not get through, or of which nobody
// knows. That is its end for who waits for that. If it is in doubt whether the actor
// has the command, replies may still come, and are the command's.
func (b *Bridge) failed(s *sending, code, message string, inDoubt bool) {
	waited := b.hub.inflight.failed(s.flight, inDoubt)
	if s.tracked == nil {
		b.fail(s.conn, s.client, s.CommandID, code, message)
		return
	}
	if waited { // else it has heard of an end already
		s.conn.Send(frameOf(errorMessage{Op: "error", ID: s.tracked.id, CommandID: s.CommandID, Code: code, Message: message}))
	}
}
