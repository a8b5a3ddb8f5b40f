package testkit

import (
	"os"
	"testing"
)

// MissingMark opens the line of a test that was skipped because a component is missing. The last lines of `make test`
// repeat these lines.
const MissingMark = "MISSING"

// Missing ends a test whose component could not be set up: it fails on CI (CI=true), where everything can be set up, and
// is skipped elsewhere. how says what to do about it.
func Missing(t testing.TB, what, how string) {
	t.Helper()
	if onCI() {
		t.Fatalf("%s %s: %s", MissingMark, what, how)
	}
	t.Skipf("%s %s: %s", MissingMark, what, how)
}

func onCI() bool { return os.Getenv("CI") == "true" }
