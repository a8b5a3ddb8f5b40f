// Package cache makes what the tests need from other languages' package indexes, once per machine:
// CLU in a Python virtual environment, the command line client wscat, Autobahn's TestSuite with
// the old Python that it needs, other versions of RabbitMQ than the one that is installed, and Qpid
// Broker-J. They live under .cache in the repository, which git ignores.
//
// A component is made under a file lock, because the tests of several packages run at the same
// time, and is stamped when it is complete, with all that would make it useless if it changed. A
// component without its stamp, say of an interrupted run, is made anew. A failure is remembered for
// some minutes, so that a machine without a network does not wait for it once a package.
package cache
