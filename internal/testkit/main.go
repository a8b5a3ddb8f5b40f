package testkit

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// shared holds the services that a test binary starts once and stops in [Main]. It is the only global of this package:
// nothing else in a test binary outlives a single test.
var shared sharedServices

type sharedServices struct {
	mu     sync.Mutex // guards the following fields
	broker *Node
	failed error   // why the broker did not start: later tests fail at once
	idle   []*Node // left by tests that have ended
}

// Main is the body of a TestMain: it runs the tests, stops the services that they shared, fails the run if a goroutine
// is left, and exits.
func Main(m *testing.M, opts ...goleak.Option) {
	code := m.Run()
	shared.stop()
	// A failed test often leaves goroutines behind, which would only add noise.
	if code == 0 {
		if err := leaks(opts...); err != nil {
			fmt.Fprintf(os.Stderr, "goroutines are left after all tests:\n%v\n", err)
			code = 1
		}
	}
	os.Exit(code)
}

// leaks returns an error if goroutines are left. On a busy machine one may end seconds later, and goleak waits for half a
// second.
func leaks(opts ...goleak.Option) (err error) {
	for end := time.Now().Add(leakTimeout); ; {
		if err = goleak.Find(opts...); err == nil || time.Now().After(end) {
			return err
		}
	}
}

// NoLeaks fails the test if goroutines are left.
func NoLeaks(t testing.TB) {
	t.Helper()
	if err := leaks(); err != nil {
		t.Error(err)
	}
}

const leakTimeout = 15 * time.Second

// stop kills the shared services. Their data is no longer needed.
func (s *sharedServices) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broker != nil {
		s.broker.discard()
		s.broker = nil
	}
	for _, n := range s.idle {
		n.discard()
	}
	s.idle = nil
}
