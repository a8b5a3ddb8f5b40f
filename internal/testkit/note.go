package testkit

import "testing"

// NoteMark begins a line that `make test` shows even if the test passes.
const NoteMark = "NOTE"

// Note shows a result of a test in the output of `make test`.
func Note(t testing.TB, result string) {
	t.Helper()
	t.Log(NoteMark + " " + result)
}
