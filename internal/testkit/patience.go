package testkit

import (
	"errors"
	"testing"
	"time"
)

// Patience is how long a test waits for what must happen. It is long enough for a crowded machine: no test
// that passes waits for it.
const Patience = 3 * time.Minute

// PongTimeout is for the bridges of tests. Their clients read only when a test looks at what they have received, so they
// answer no ping while it waits for something slow: a bridge's own limit would end them on a crowded machine.
const PongTimeout = time.Hour

// Receive returns the next value of a channel. The test fails if the channel is closed, or has none within
// [Patience].
func Receive[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	timeout := time.NewTimer(Patience)
	defer timeout.Stop()
	select {
	case v, ok := <-from:
		if !ok {
			t.Fatal("the channel is closed")
		}
		return v
	case <-timeout.C:
		t.Fatalf("nothing was received within %v", Patience)
	}
	panic("unreachable")
}

// Await waits for an event: the next value of a channel, or its close. It returns the value, or the zero value. The test
// fails if neither happens within [Patience].
func Await[T any](t testing.TB, event <-chan T) (v T) {
	t.Helper()
	timeout := time.NewTimer(Patience)
	defer timeout.Stop()
	select {
	case v = <-event:
	case <-timeout.C:
		t.Fatalf("nothing happened within %v", Patience)
	}
	return v
}

// WaitUntil polls a condition that other goroutines or processes bring about, at most for [Patience]. Where
// there is an event to wait for, wait for that.
func WaitUntil(t testing.TB, what string, holds func() bool) {
	t.Helper()
	Eventually(t, Patience, what, func() error {
		if !holds() {
			return errors.New("not yet")
		}
		return nil
	})
}
