package testkit

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// The time between two checks doubles from the first, for what is almost there, to the last: short against
// the seconds that outside processes take, and long against one check.
const (
	pollFirst = time.Millisecond
	pollLast  = 32 * time.Millisecond
)

// Eventually polls check until it returns nil, and fails the test with its last error when timeout
// has passed. It is for outside processes only, which have no event to wait for; inside one process
// wait for the event.
func Eventually(t testing.TB, timeout time.Duration, what string, check func() error) {
	t.Helper()
	if err := poll(timeout, nil, check); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// poll is Eventually without a test. It gives up early when stop closes.
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

// PauseBeforeRetry lets a moment pass between two tries to reach a program that is away, or the context end.
func PauseBeforeRetry(ctx context.Context) {
	moment := time.NewTimer(5 * time.Millisecond)
	defer moment.Stop()
	select {
	case <-moment.C:
	case <-ctx.Done():
	}
}
