package testkit

import (
	"fmt"
	"testing"
	"time"
)

// pollEvery is short against the seconds that outside processes take, and long against one check.
const pollEvery = 25 * time.Millisecond

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
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-stop:
			return fmt.Errorf("gave up: %w", err)
		case <-deadline.C:
			return fmt.Errorf("not within %v: %w", timeout, err)
		}
	}
}
