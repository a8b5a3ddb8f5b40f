// Command summary runs all tests and counts them: summary [flags] -- [flags of go test] packages.
//
//	go test -json ──▶ events of each package ──▶ "ok" and its notes, or all that its failed tests wrote
//	      │                                                      │
//	      │ tests that asked for a RabbitMQ                      ├──▶ N passed, N failed, N skipped
//	      ▼                                                      │
//	go test -json, on other RabbitMQs (-again) ──────────────────┤
//	node --test ─────────────────────────────────────────────────┤
//	a check in the background (-background) ─────────────────────┘
//
// With -race the packages of some patterns run with the race detector, the others without. With -again the tests in the
// folders of -in that asked for a RabbitMQ are repeated on other RabbitMQs, without the race detector, each package when
// it has ended: package testkit has recorded which they are. -at-a-time bounds how many runs of go test there are at a
// time; they begin in the order of the patterns. With -each and -once it runs the tests that are built only
// with a tag, -each on every RabbitMQ. What ran on another RabbitMQ is reported with its version.
//
// With -background another check runs meanwhile. It is reported behind the tests.
//
// The last lines name what had to run twice because the race detector itself had failed, the components that were
// missing, what was left out for needing more than Go, and the checks that failed, FAILED_CHECKS included: it holds the
// names of those that ran before, a line each. The very last line is
//
//	N passed, N failed, N skipped
//
// It counts what Go reports with a --- line (tests, subtests, examples, fuzz seeds; a parent in addition to its
// subtests), a package that fails outside its tests and a failed check as one failure each, and node's tests. Tests that
// were left out are not in it. The exit code is 1 if anything failed.
package main
