package testkit

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// shared holds what one test binary starts once and stops in [Main]. It is the one global of this
// package: a test binary has no other place that outlives a single test.
var shared sharedServices

type sharedServices struct {
	mu     sync.Mutex // guards the following fields
	broker *Node
	failed error // why the broker did not start; the next test need not wait for it again
	idle   []*Node
}

// Main is the body of a TestMain: it runs the tests, stops the services they shared, fails the run
// if a goroutine is left over, and exits.
func Main(m *testing.M, opts ...goleak.Option) {
	code := m.Run()
	shared.stop()
	// A failed test has often left its goroutines where they stood: they would only add noise.
	if code == 0 {
		if err := goleak.Find(opts...); err != nil {
			fmt.Fprintf(os.Stderr, "goroutines are left after all tests:\n%v\n", err)
			code = 1
		}
	}
	os.Exit(code)
}

// stop ends the shared services. Their data is of no use any more, so nothing is shut down gently.
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
