// Package simulation runs a whole bridge, but for its sockets, in virtual time, and holds it
// against a model of what it promises. It has tests only.
//
//	      world: one synctest bubble a seed
//
//	actors ──► broker ══ network ══ link ──► relay ──► hub ──► logs ──► clients
//	  ▲          │          ▲         ▲                 ▲                 │
//	  └─commands─┘          │         └──── Publish ◄───┴──── requests ◄──┘
//	                     faults
//
// The broker, the link and the hub are the program's own (amqpx/broker, amqpx, bridge/hub). The
// relay does what package bridge does between link and hub; the network, the actors and the
// clients are the simulation's. The network delays every chunk of bytes, hands it on in pieces,
// and stalls, breaks at any byte, goes silent or refuses connections when a fault says so.
// Other faults restart or kill the broker, delete its queues, fill its memory, and have actors
// come and go.
//
// While it runs everything is recorded: what the broker routed, what the link wrote and
// delivered and when, what each client was sent. Then the models look:
//
//	commands  each ends once, in time; its outcome is true; none is sent twice or late
//	replies   delivered once and in order; what is missing lies in a gap told at its place
//	clients   numbered replies without hole or duplicate; what was missed is resumed, or the
//	          snapshot takes its place; the latest of what is throttled
//
// All randomness comes from the seed: each part has a source of its own, so that what one draws
// does not depend on when another runs.
//
//	go test ./bridge/simulation -seed=17            # this seed, with its trace
//	go test ./bridge/simulation -seeds=1000         # so many, from the first on
//	go test ./bridge/simulation -seeds=1000 -from=5000
//
// What Go chooses itself is not drawn from the seed: the order of goroutines that are ready at
// the same moment, of the ready cases of a select, and of maps. The network's delays are
// different to the nanosecond, so moments seldom coincide.
package simulation
