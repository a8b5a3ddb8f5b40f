/*
Package amqpx keeps a link to an AMQP 0-9-1 broker up, and reports truthfully what happened
to every message sent over it. It needs no particular broker: it is tested with RabbitMQ from 3.10
on, Qpid Broker-J and the embedded broker of package broker.

# What flows through it

A [Link] is made with [New] from a [Config] that names the broker, one exchange and the queues
to consume. It lives inside [Link.Run]:

	        Run: the supervisor
	          │ dials, declares, watches, waits (with jitter), dials again
	          ▼
	┌──────── session: one life of the link ──────────┐
	│ consuming connection        publishing connection│
	│  a channel for each queue    one channel,        │
	│  prefetch, one ack for a     confirms, returns   │
	│  batch of deliveries                             │
	└───────┬───────────────────────────▲──────────────┘
	        ▼                           │ at most MaxInFlight unconfirmed
	 Queue.Deliver(delivery)     outbox: a queue for each sender ◄── Link.Publish

There are two connections because a broker that is short of memory stops reading from those
that publish, but consuming must go on. [Link.Ready] waits until both are open and every queue
is bound; [Config].OnState is called with every change.

# Publishing

[Link.Publish] never blocks, and [Link.PublishWait] waits for the outcome. Every message ends in
exactly one [Outcome]. It is never held for a later connection, never sent twice, and never sent
after its deadline: messages that are pending while the broker stalls fail instead. A message that
is in flight when the link breaks, or that the broker does not confirm in time, ends as [Unknown]:
it may have arrived, or may still arrive. To keep such messages few, nothing is sent while another
message has waited for its confirm for a thirtieth of the timeout.

Each [Sender] has a queue of its own. Tenants take turns, and so do the senders of a tenant
(sendqueue.go). What a sender leaves behind when it is gone is not sent. Neither is what was
buffered while the process was paused: the link breaks instead (publisher.go).

A broker closes the channel, with everything in flight on it, over a message that is too long for
it, or one to an exchange that the user may not write to. The link learns both (refusals.go), and
Publish refuses the next such message.

# Consuming

The deliveries of a queue reach [Queue].Deliver in order and one at a time. The link acknowledges
them whatever Deliver does with them, so a malformed message cannot stop the flow. Nor can a
message break the link for the others (poison.go, sanitize.go). Messages of AMQP 1.0 publishers are
decoded as far as RabbitMQ leaves that to its clients (amqp10.go).

Frames are read before the AMQP library reads them (interceptor.go). Deliveries to the link's
queues, publishes and confirms bypass it entirely (deliveries.go, publisher.go); the library opens,
declares, consumes and closes.

# What may have been lost

A [Queue] is exclusive and dies with its connection, or outlives it for a time (Expires, kept.go),
or is a [Stream] that many links read (stream.go). What waited there since before a session began
may be told from what is new ([Queue].DeliverWaited). When messages may have been lost, the link
reports a [Gap] at its place between the deliveries ([Queue].OnGap). For each queue it
remembers, from one session to the next (consumerstate.go),

  - until when nothing is missing, which is where a gap starts: the moment when the broker was
    last asked something that it then answered, which is at most a second earlier than it was
    last heard (bindings.go). It is an earlier one if the receiver lagged behind (lossbound.go)
    or the process was paused (pause.go);
  - which deliveries come again because their acknowledgement was lost, and are not delivered
    twice (redelivered.go);
  - its position in a stream (position.go).

A queue that outlives its connection keeps its messages when the broker is restarted, and may lose
its bindings. Any queue loses them when its exchange is deleted. Two exchanges to which nothing is
published, the sentinels, show whether the bindings still exist (sentinels.go). A link that binds a stream
again writes markers into it (marker.go), so that all its readers, and later ones, find the gap at
its place. A policy of the broker may remove messages from a queue: the broker dead-letters them,
and the link reports a gap (deadletters.go).

A link can be up while nothing gets through. A queue from which nothing has come for a while is
probed (probe.go): if it takes no messages, [State].QueueDown says so, and if it takes them but does
not deliver them, the session ends. A link that breaks again and again as soon as it is made counts as up
only once it has lasted for a while.

# Queues of others

[Link.AskQueue] asks whether the queue of another program has a consumer, on a channel of its own.

# Names at the broker

For an exclusive queue q there are

	q                   the queue
	q_dropped           the queue of its dead letters
	q_sentinel          an exchange
	q_gate              an exchange, with RabbitMQ 4 and later (gate.go)

A queue that outlives its link is named q_kept, and has a q_kept_dropped, q_kept_sentinel,
q_kept_restart_sentinel, q_kept_gate and q_kept_gated. A stream s has an s_sentinel, an
s_restart_sentinel, the exchanges that count how often it was made anew (generation.go) and, for
moments, a queue s_binding. In both cases an empty queue q holds the name: a second link of the same
name is refused. If the link's own last connection still holds the
queue, because the broker has not noticed its end, the link does not wait, but uses another name
meanwhile (names.go).

# Connecting

A round (round.go, race.go) tries every address of every URL. An address that does not answer does
not hold up the next, and one that accepts connections but says nothing gives way. The pause between
rounds grows to two seconds. Only an address with a permanent error, such as a wrong password, is
left alone for longer. An [Error] has a [Kind], so that a program can add advice of its own.
*/
package amqpx
