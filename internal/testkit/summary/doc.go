// Command summary runs all tests and counts them: summary [flags of go test] packages.
//
// It reads `go test -json`, writes one line for each package that passes, with the
// results that its tests note, and everything that a
// failed test wrote, then runs the JavaScript tests with `node --test`. Its last lines name the
// components that were missing, and its very last line is
//
//	N passed, N failed, N skipped
//
// counting what Go reports with a --- line (tests, subtests, examples, fuzz seeds; a parent counts
// beside its subtests), a package that fails outside its tests as one failure, and node's tests.
// The exit code is 1 if anything failed.
package main
