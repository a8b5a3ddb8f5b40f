// Package simulation runs a whole bridge, except for its sockets, in virtual time, and
// checks it against a model of its promises. It contains only tests.
//
//	      world: one synctest bubble a seed
//
//	actors ──► broker ══ network ══ link ──► relay ──► hub ──► logs ──► clients
//	  ▲          │          ▲         ▲                 ▲                 │
//	  └─commands─┘          │         └──── Publish ◄───┴──── requests ◄──┘
//	                     faults
//
// The broker, the link and the hub are the real ones (amqpx/broker, amqpx, bridge/hub). The relay does what
// package bridge does between link and hub; its engine needs sockets, which cannot be in a bubble. The network,
// the actors and the clients are simulated. The network delays every chunk of bytes and delivers it in parts; by
// a fault it stalls, breaks at any byte, goes silent or refuses connections. Other faults restart or kill the
// broker, delete its queues, fill its memory, and remove actors for a while.
//
// Everything is recorded: what the broker routed, what the link wrote and delivered, and when, and what each
// client was sent. After the run the models check:
//
//	commands  each ends once, in time; the outcome is true; none is sent twice or late
//	replies   each is delivered once and in order, or lies in a gap that is reported at its place
//	clients   numbered replies without hole or duplicate; what was missed is resumed or replaced by a snapshot;
//	          snapshots have the latest values; of what is throttled, the latest comes in time
//
// All randomness comes from the seed. Each part has its own source, so that its random numbers do
// not depend on when other parts run.
//
//	go test ./bridge/simulation -v -seed=17               # one seed, with its trace
//	go test ./bridge/simulation -seeds=1000 -from=5000    # many; or CLU_WS_SEEDS=1000
//
// A failure prints its seed and the trace. Go's own choices do not depend on the seed: the order of
// goroutines that become ready at the same time, of the ready cases of a select, and of maps.
// Delays differ to the nanosecond, so that this matters rarely: of 20 seeds that were run twice, 17
// had the same trace but for the order of events at one time, and the others differed in some
// lines.
package simulation
