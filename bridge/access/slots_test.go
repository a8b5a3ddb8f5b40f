package access

import (
	"context"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestWhoeverWaitsForKeysLeavesTheWorkerToOthers(t *testing.T) {
	w := newSlots(1, 10)
	waiting, answer := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		if err := w.take(context.Background()); err != nil {
			done <- err
			return
		}
		defer w.give()
		done <- w.aside(func() error { close(waiting); <-answer; return nil })
	}()
	<-waiting
	if err := w.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(answer)
	select {
	case <-done:
		t.Fatal("it goes on without a slot")
	default:
	}
	w.give()
	if err := testkit.Receive(t, done); err != nil {
		t.Error(err)
	}
	testkit.WaitUntil(t, "no slot is taken", func() bool { return w.busy.Load() == 0 && len(w.taken) == 0 })
}
