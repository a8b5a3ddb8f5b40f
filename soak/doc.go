// Package soak runs bridges, clients and a broker for hours while all of them fail at random, and checks what each has
// promised. It draws everything from a seed.
//
//	weather ──► RabbitMQ ══ networks ══► bridge A, bridge B ══ networks ══► clu.js, wsclient, Python
//	dome    ◄──────┘                        one stream                              │
//	   │                                                                            │
//	   └── commands that it got ──►  chaos.Commands, ledgers  ◄── what they show ───┘
//
// The faults happen one after another (faults_*.go): those of the broker, of the networks, of the bridges and of the
// clients. Bridge A is restarted, killed and upgraded. Bridge B lives as long as the run, so that what it leaks shows. After
// some faults everything calms down, and the run is checked:
//
//	replies    each one that the broker has confirmed is shown once and in order, by each client; only where the broker
//	           itself lost some may they be missing, and then a gap is told (ledger.go)
//	commands   each has one end, which is true; none is run twice or late (clients.go)
//	bridges    their last values are what was said last; the keywords' history and the problems of a bridge that was
//	           restarted are those of the one that was not; it has as many clients as there are, and has counted what it has
//	           delivered (checks.go)
//	leaks      goroutines, descriptors, memory, and what is left at the broker are bounded (leaks.go)
//	logs       no panic, no race (bridges.go)
package soak
