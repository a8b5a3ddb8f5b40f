package testkit

import "testing"

// NoteMark opens the line of a result that is worth reading although its test passes: `make test`
// shows it.
const NoteMark = "NOTE"

// Note tells a result of a test in the output of `make test`.
func Note(t testing.TB, result string) {
	t.Helper()
	t.Log(NoteMark + " " + result)
}
