// Command summary runs all tests and counts them: summary [flags] -- [flags of go test] packages.
//
// It reads `go test -json`, writes one line for each package that passes, with the
// results that its tests note, and everything that a
// failed test wrote, then runs the JavaScript tests with `node --test`.
//
// With -again it runs those tests of -in once more, on other RabbitMQs, that asked for a RabbitMQ
// the first time, when all others have run: package testkit has noted them. With -each and -once it runs the tests that are built
// only with a tag, -each on every RabbitMQ. What ran on another RabbitMQ is told with its version.
//
// With -beside another check runs while the tests do. It is reported behind them, and counts as one failure if it fails.
//
// Its last lines name what had to run twice because the race detector itself had failed, and the components
// that were missing. Its very last line is
//
//	N passed, N failed, N skipped
//
// counting what Go reports with a --- line (tests, subtests, examples, fuzz seeds; a parent counts
// beside its subtests), a package that fails outside its tests as one failure, and node's tests; all runs together.
// The exit code is 1 if anything failed.
package main
