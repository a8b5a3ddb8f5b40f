package testkit

import (
	"runtime"
	"testing"
	"testing/synctest"
)

// Bubble is [synctest.Test] on one processor. Go's race detector keeps one state for all timers of a bubble: if two
// processors fire timers at the same moment, it ends the process with a failed CHECK of its own (tsan_rtl.cpp, in
// SlotDetachImpl, with Go 1.26). One processor does not keep it from finding races. Parallel tests cannot use Bubble,
// because it changes GOMAXPROCS for all of them.
func Bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	synctest.Test(t, test)
}
