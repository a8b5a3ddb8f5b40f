package testkit

import (
	"os"
	"testing"
)

// MissingMark opens the line of every test that was skipped because a component is missing, so
// that the last lines of `make test` can name them.
const MissingMark = "MISSING"

// Missing ends a test whose component could not be set up. On CI (CI=true) the test fails: there,
// everything can be set up. Elsewhere it is skipped in one loud line. how says what to do about it.
func Missing(t testing.TB, what, how string) {
	t.Helper()
	if onCI() {
		t.Fatalf("%s %s: %s", MissingMark, what, how)
	}
	t.Skipf("%s %s: %s", MissingMark, what, how)
}

func onCI() bool { return os.Getenv("CI") == "true" }
