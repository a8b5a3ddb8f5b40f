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
//	 Queue.Deliver(delivery)     outbox: bounded FIFO ◄── Link.Publish
//
// Deliveries reach Queue.Deliver one at a time and in order, from one goroutine
// a queue. They are acknowledged whatever Deliver makes of them: a message that
// makes no sense can never stop the flow.
//
// [Link.Publish] never blocks. Each message ends in exactly one [Outcome], and
// is never held for a later connection, never sent twice, and never sent after
// its deadline: what waits while the broker stalls fails instead. What was in
// the network when it stalled may still arrive when it wakes, and has ended as
// [Unknown]. That is little: nothing is sent while a confirm has been owed for
// a thirtieth of the deadline.
//
// # Two connections
//
// A broker that is short of memory stops reading from connections that
// publish. With a connection of its own, consuming goes on.
package amqpx
