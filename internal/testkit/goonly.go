package testkit

import (
	"os"
	"testing"
)

// GoOnlyVariable is the environment variable with which `make check` leaves out, if it is "true", every test
// that needs more than Go. `make test` runs them all, and a run on CI (CI=true) refuses the variable.
const GoOnlyVariable = "CLU_WS_TEST_GO_ONLY"

// LeftOutMark opens the line of a test that was left out, followed by what it needs. The summary command counts
// such tests apart: as neither passed nor skipped.
const LeftOutMark = "LEFT OUT"

// GoOnly reports whether tests that need more than Go are left out.
func GoOnly() bool { return os.Getenv(GoOnlyVariable) == "true" }

// need leaves out a test that needs more than Go, if [GoOnly].
func need(t testing.TB, what string) {
	t.Helper()
	if !GoOnly() {
		return
	}
	if onCI() {
		t.Fatalf("%s is set on CI, where every test runs", GoOnlyVariable)
	}
	t.Skipf("%s %s", LeftOutMark, what)
}
