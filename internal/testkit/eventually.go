package testkit

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// The time between two checks doubles from the first to the last, which is short against the seconds that other
// processes take, and long against one check.
const (
	pollFirst = time.Millisecond
	pollLast  = 32 * time.Millisecond
)

// Eventually polls check until it returns nil, and fails the test with check's last error if it
// does not within timeout. It is for other processes, which give no event to wait for; within a
// process, wait for the event.
func Eventually(t testing.TB, timeout time.Duration, what string, check func() error) {
	t.Helper()
	if err := poll(timeout, nil, check); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// poll is Eventually without a test. It gives up early when stop is closed.
func poll(timeout time.Duration, stop <-chan struct{}, check func() error) error {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	next := time.NewTimer(timeout)
	defer next.Stop()
	for every := pollFirst; ; every = min(2*every, pollLast) {
		err := check()
		if err == nil {
			return nil
		}
		next.Reset(every)
		select {
		case <-next.C:
		case <-stop:
			return fmt.Errorf("gave up: %w", err)
		case <-deadline.C:
			return fmt.Errorf("not within %v: %w", timeout, err)
		}
	}
}

// PauseBeforeRetry waits for 5 ms, or until the context ends, between two attempts to reach a program that is down.
func PauseBeforeRetry(ctx context.Context) {
	moment := time.NewTimer(5 * time.Millisecond)
	defer moment.Stop()
	select {
	case <-moment.C:
	case <-ctx.Done():
	}
}
