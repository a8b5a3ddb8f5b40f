package amqpx

import "context"

// Publish sends a message to the link's exchange. It does not block. done is called exactly
// once, from any goroutine and possibly before Publish returns; it must not block. Messages of
// one sender leave in the order of the calls. Tenants take turns, and so do the senders of a
// tenant.
//
// Publish returns an error for a message that AMQP or the broker cannot carry, or that the
// broker does not let the user send. Then nothing is sent and done is not called.
func (l *Link) Publish(msg Message, done func(Outcome)) error {
	if err := msg.check(); err != nil {
		return err
	}
	if err := l.checkLength(&msg); err != nil {
		return err
	}
	if err := l.checkWrite(); err != nil {
		return err
	}
	if err := l.checkKey(msg.Key); err != nil {
		return err
	}
	l.outbox.put(msg, done)
	return nil
}

// PublishWait publishes a message and waits for its outcome, which comes within
// [Config].PublishTimeout. It does not wait for a link that is down: see [Link.Ready].
//
// An error means that there is no outcome. If it is the context's, the message may have been
// sent, and [Unknown] is returned with it, unless the context had ended before the call. Any
// other error is that of [Link.Publish]: nothing was sent, and the outcome is [Expired].
func (l *Link) PublishWait(ctx context.Context, msg Message) (Outcome, error) {
	if err := ctx.Err(); err != nil {
		return Expired, err
	}
	ended := make(chan Outcome, 1)
	if err := l.Publish(msg, func(o Outcome) { ended <- o }); err != nil {
		return Expired, err
	}
	select {
	case outcome := <-ended:
		return outcome, nil
	case <-ctx.Done():
		return Unknown, ctx.Err()
	}
}

// ConfirmOverdue reports whether the confirm of a publish that has ended as [Unknown] is
// still missing. The link is up then, but the broker stalls, which the heartbeat has not
// detected yet.
func (l *Link) ConfirmOverdue() bool { return l.outbox.overdue() }

// Outcome is how a publish ended. Every message that [Link.Publish] accepts ends in exactly
// one.
type Outcome uint8

// The outcomes. Unless the publish was [Confirmed], only [Unknown] and [Refused] leave open
// whether the message has reached a queue.
const (
	// Confirmed: the broker accepted the message and put it into every queue that is bound for
	// it. Unless the message was Mandatory, there may be none.
	Confirmed Outcome = iota
	// Returned: the message was Mandatory, and no queue is bound for its routing key; or
	// none of the queues that it Needs exists, and nothing was sent.
	Returned
	// Refused: the broker answered with a nack. A nack is for all queues together: at least
	// one of them did not accept the message (it is full, or failed), and the others may have
	// it.
	Refused
	// Disconnected: the link is down. Nothing was sent.
	Disconnected
	// Blocked: the broker blocks publishers (it is short of memory or disk).
	// Nothing was sent.
	Blocked
	// Full: too many messages are pending, of this sender, of its tenant or in all. Nothing
	// was sent.
	Full
	// Expired: the deadline passed before the message could be sent. Nothing was sent.
	Expired
	// Gone: the [Sender] was gone, or the message was withdrawn, before it could be sent. Nothing was
	// sent.
	Gone
	// Unknown: the message was sent, and the link broke, or the deadline passed, before the
	// confirm came. It may have been delivered.
	Unknown
)

// InDoubt reports whether the message may have reached a queue although the outcome does not
// say that it did.
func (o Outcome) InDoubt() bool { return o == Refused || o == Unknown }

var outcomeNames = [...]string{"confirmed", "returned", "refused", "away", "blocked", "full", "expired", "gone", "unknown"}

// String returns the name of the outcome in logs and metrics. That of [Disconnected] is
// "away".
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "invalid outcome"
}
