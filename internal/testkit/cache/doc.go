// Package cache makes what the tests need from other languages' package indexes, once per machine:
// CLU in a Python virtual environment, FastAPI and Django, the command line client wscat, what web applications are made
// with (Vite, React, Vue), Deno and Bun, Autobahn's TestSuite with
// the old Python that it needs, Prometheus, other versions of RabbitMQ than the one that is installed, and Qpid
// Broker-J. They live under .cache in the repository, which git ignores.
//
//	ready ── lock ── stamp as expected? ── yes ──▶ folder
//	                        └─ no ── remove, make, write the stamp ──▶ folder
//	                                    └─ failed: remembered for ten minutes
//
// A component is made under a file lock, because the tests of several packages run at the same
// time. When it is complete it gets a stamp, which contains everything that invalidates it by
// changing. A component without its stamp, such as that of an interrupted run, is made again. A
// failure is remembered, so that not every package waits for a network that is down.
package cache
