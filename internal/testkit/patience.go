package testkit

import (
	"errors"
	"testing"
	"time"
)

// Patience is how long a test waits for what must happen. It is long enough for a crowded machine: no test
// that passes waits for it.
const Patience = 30 * time.Second

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

// AwaitClosed waits until a channel is closed, and drops what is received before. The test fails if that
// takes longer than [Patience].
func AwaitClosed[T any](t testing.TB, what string, channel <-chan T) {
	t.Helper()
	timeout := time.NewTimer(Patience)
	defer timeout.Stop()
	for {
		select {
		case _, ok := <-channel:
			if !ok {
				return
			}
		case <-timeout.C:
			t.Fatalf("%s: not within %v", what, Patience)
		}
	}
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
