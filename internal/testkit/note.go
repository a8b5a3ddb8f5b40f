package testkit

import "testing"

// NoteMark opens a line that `make test` prints even if the test passes.
const NoteMark = "NOTE"

// Note adds a result of a test to the output of `make test`.
func Note(t testing.TB, result string) {
	t.Helper()
	t.Log(NoteMark + " " + result)
}
