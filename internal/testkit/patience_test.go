package testkit

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// failing is a test that notes how it failed instead of failing.
type failing struct {
	*testing.T
	said string
}

func (f *failing) Helper() {}
func (f *failing) Fatal(args ...any) {
	f.said, _ = args[0].(string)
	runtime.Goexit()
}
func (f *failing) Fatalf(format string, _ ...any) { f.Fatal(format) }

// failureOf returns how a helper failed its test, or "".
func failureOf(t *testing.T, helper func(t testing.TB)) string {
	f := &failing{T: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		helper(f)
	}()
	<-done
	return f.said
}

func TestReceiveReturnsAValueOrFails(t *testing.T) {
	Bubble(t, func(t *testing.T) {
		c := make(chan int, 1)
		c <- 7
		if got := Receive(t, c); got != 7 {
			t.Errorf("received %d", got)
		}
		began := time.Now()
		if said := failureOf(t, func(t testing.TB) { Receive(t, c) }); !strings.Contains(said, "nothing was received") {
			t.Errorf("an empty channel: %q", said)
		}
		if waited := time.Since(began); waited != Patience {
			t.Errorf("it waited for %v", waited)
		}
		close(c)
		if said := failureOf(t, func(t testing.TB) { Receive(t, c) }); !strings.Contains(said, "closed") {
			t.Errorf("a closed channel: %q", said)
		}
	})
}

func TestAwaitReturnsAtAValueOrAtTheClose(t *testing.T) {
	Bubble(t, func(t *testing.T) {
		c := make(chan int, 1)
		if said := failureOf(t, func(t testing.TB) { Await(t, c) }); !strings.Contains(said, "nothing happened") {
			t.Errorf("an open channel: %q", said)
		}
		c <- 7
		close(c)
		if first, second := Await(t, c), Await(t, c); first != 7 || second != 0 {
			t.Errorf("got %d and %d", first, second)
		}
	})
}

func TestWaitUntilPollsUntilTheConditionHolds(t *testing.T) {
	Bubble(t, func(t *testing.T) {
		began := time.Now()
		WaitUntil(t, "a second has passed", func() bool { return time.Since(began) >= time.Second })
		if said := failureOf(t, func(t testing.TB) { WaitUntil(t, "never", func() bool { return false }) }); said == "" {
			t.Error("it did not fail")
		}
	})
}
