// Package amqpx keeps a link to an AMQP 0-9-1 broker up, and tells the truth
// about what went over it. It knows AMQP and nothing of CLU.
//
// # What flows through it
//
// A [Link] is made with [New] from a [Config] that names the broker, one
// exchange and the queues to consume, and lives inside [Link.Run]:
//
//	        Run: the supervisor
//	          │ dials (backoff with jitter), declares, watches, redials
//	          ▼
//	┌──────── session: one life of the link ────────┐
//	│ consuming connection      publishing connection│
//	│  channel per queue         one channel,        │
//	│  prefetch, one multiple    confirms, mandatory │
//	│  ack a batch               returns             │
//	└───────┬──────────────────────────▲────────────┘
//	        ▼                          │ window of confirms in flight
//	 Queue.Deliver(delivery)     outbox: a queue a sender ◄── Link.Publish
//
// Deliveries of a queue reach Queue.Deliver one at a time and in order. They are
// acknowledged whatever Deliver makes of them: a message that makes no sense can never
// stop the flow.
//
// A message that others publish can break nothing but itself. Frames are read before the
// library reads them (mend.go; so TLS is the link's own, tls.go): header types that the
// library does not know are replaced by some that it does, and a message whose headers it
// cannot read is dropped alone. One over which the broker fails is stepped over
// (unreadable.go). What RabbitMQ leaves encoded of AMQP 1.0 is decoded (amqp10.go).
// Deliveries to the link's queues do not go through the library at all (deliveries.go),
// and neither do publishes and their confirms (publisher.go).
//
// # What happens while the link is down
//
// A [Queue] is exclusive and dies with its connection, or outlives it for a time
// (Expires, kept.go), or is a [Stream] that many read. What may have been lost is told as a
// [Gap], between the deliveries where it belongs (Missed). Per queue, an intake
// remembers what must be known from one session to the next:
//
//   - until when nothing is missing (quiet.go), which is where a gap begins: the
//     last word from the broker, or earlier if the receiver lagged behind, or the
//     process stood still (stall.go);
//   - which deliveries come again because their acknowledgement was lost, and are
//     left out (repeat.go);
//   - the next offset in a stream (position.go).
//
// A queue that lives on keeps its messages when the broker is restarted, and may lose its
// bindings: CLU's exchange is not durable, though RabbitMQ keeps it where its metadata
// is in Khepri. Another exchange, the witness (witness.go), shares the fate of the bindings
// and so shows whether they have stood. Any queue loses its bindings when somebody deletes
// the exchange: an exchange that is bound to it, the tie (tie.go, bindings.go), shows that.
// The link that binds a stream again writes markers into it (marker.go), so that all its
// readers, and later ones, hear of the gap in its place.
//
// A queue that is still held by our own last connection, whose end the broker has not
// noticed, is not waited for: the link uses one of another name meanwhile (names.go).
//
// A policy of the broker may remove messages from a queue. It dead-letters them into a queue
// beside it, and the link tells the gap (dropped.go).
//
// On the broker there are, for an exclusive queue q: q itself, the exchange q_tie and the
// queue q_dropped. For one that lives on, and for a stream, q is always empty and holds the
// name. Beside it are the queues q_kept and q_kept_dropped and the exchanges q_kept_gate,
// q_kept_gated, q_kept_tie and q_kept_witness, or the stream s, s_tie, s_witness, and for
// moments s_binding. A kept queue is bound by way of its gate, which goes before the queue
// does; with RabbitMQ 4 an exclusive one has a gate, too, q_gate (gate.go).
//
// A link can stand while nothing gets through: a queue or stream without a leader, or one
// that rejects what is published, is silent, and so is a consumer that the broker has
// forgotten. A queue from which nothing came for a while is probed (probe.go): by
// [State.QueueDown] the link says that it takes nothing, and it links again if it takes
// messages and does not deliver them. A link that breaks as soon as it stands, again and
// again, is up only once it has held (settled.go).
//
// [Link.Publish] never blocks. Each message ends in exactly one [Outcome], and is never
// held for a later connection, never sent twice, and never sent after its deadline:
// what waits while the broker stalls fails instead. Each [Sender] has a queue of its
// own; their parties take turns, and so do the senders of a party (sendqueue.go). What a
// sender leaves behind when it is gone is not sent, and neither is what was buffered while
// the process stood still: the link breaks instead (publisher.go). What was in the network when
// the broker stalled may still arrive when it wakes, and has ended as [Unknown]. That is
// little: nothing is sent while a confirm has been owed for a thirtieth of the deadline.
//
// A broker closes the channel, under all that is in flight, over a message that is too
// long for it, and over one to an exchange that the user may not write to. The link
// learns both (limit.go, forbidden.go), and Publish refuses what would break it again.
//
// # Dialling
//
// A round (round.go) tries every address of every URL (addresses.go). One that does not
// answer does not hold up the next, and one that accepts connections and says nothing
// gives way. The pause between rounds grows to two seconds; only an address that refuses
// what will not mend itself, a wrong password say, is left alone for longer.
//
// # Two connections
//
// A broker that is short of memory stops reading from connections that
// publish. With a connection of its own, consuming goes on.
package amqpx
