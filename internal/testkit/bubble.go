package testkit

import (
	"runtime"
	"testing"
	"testing/synctest"
)

// Bubble is [synctest.Test] on one processor. Go's race detector keeps one state for all timers of a bubble:
// if two processors fire timers at the same moment, it ends the process with a failed CHECK of its own
// (tsan_rtl.cpp, in SlotDetachImpl, with Go 1.26). What it finds does not depend on how many there are.
// Bubble is not for parallel tests, which share the number of processors.
func Bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	synctest.Test(t, test)
}
