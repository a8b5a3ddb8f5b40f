package amqpx

// Outcome is how a published message ended. Every message given to
// [Link.Publish] ends in exactly one.
type Outcome uint8

// The outcomes. Only after [Unknown] and [Refused] may the message have reached
// a queue although the sender is told that it failed.
const (
	// Confirmed: the broker took the message and routed it to at least one queue.
	Confirmed Outcome = iota
	// Returned: mandatory, and no queue is bound for the routing key. Or none of the
	// queues that it needs exists; then nothing was sent.
	Returned
	// Refused: the broker answered with a nack. It speaks for all queues at once:
	// one of them did not take the message (it is full, or broke), and the others
	// may have it.
	Refused
	// Disconnected: there is no connection to a broker. Nothing was sent.
	Disconnected
	// Blocked: the broker blocks publishers (it is short of memory or disk).
	// Nothing was sent.
	Blocked
	// Full: too many messages are waiting to be sent, of this sender, its party or all.
	// Nothing was sent.
	Full
	// Expired: the deadline passed before the message could be sent. Nothing was sent.
	Expired
	// Gone: the sender disconnected before the message could be sent. Nothing was sent.
	Gone
	// Unknown: sent, but the link broke, or the deadline passed, before the
	// confirm. The message may have been delivered.
	Unknown
)

// InDoubt is whether the message may have reached a queue, although the outcome is
// not that it did.
func (o Outcome) InDoubt() bool { return o == Refused || o == Unknown }

var outcomeNames = [...]string{"confirmed", "returned", "refused", "away", "blocked", "full", "expired", "gone", "unknown"}

// String is the outcome's name as logs and metrics show it.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "invalid outcome"
}
