package hub

import (
	"slices"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A client's command waits for the subscription that it has just asked for, but not behind a request that takes long. Its
// commands keep their order.
func TestACommandWaitsForTheSubscriptionThatWasAskedForBeforeIt(t *testing.T) {
	h := newHarness(t)
	l := h.connect()
	done := make(chan string, 10)
	command := func(name string) bool {
		t.Helper()
		waits, err := h.hub.BehindSubscribe(l.session, 10, func() func() { return func() { done <- name } })
		if err != nil {
			t.Fatal(err)
		}
		return waits
	}
	subscribe := func(id string) {
		t.Helper()
		if err := h.hub.Subscribe(l, l.session, SubscribeRequest{ID: &id}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if command("at once") {
		t.Error("a command waits for nothing")
	}
	h.hub.mu.Lock()
	subscribe("a")
	if !command("first") || !command("second") {
		t.Error("a command does not wait")
	}
	if len(done) > 0 {
		t.Error("a command went ahead of the subscription")
	}
	h.hub.mu.Unlock()
	if got := []string{testkit.Await(t, done), testkit.Await(t, done)}; !slices.Equal(got, []string{"first", "second"}) {
		t.Errorf("the commands came as %v", got)
	}
	testkit.WaitUntil(t, "nothing is ahead", func() bool { return l.session.ahead.both.Load() == 0 })

	slow := make(chan struct{})
	if err := h.hub.SubmitTask(l.session, func(answered func()) Task {
		return func() bool { <-slow; answered(); return true }
	}); err != nil {
		t.Fatal(err)
	}
	subscribe("b")
	if command("third") {
		t.Error("a command waits behind a request that takes long")
	}
	close(slow)
	testkit.WaitUntil(t, "nothing is ahead", func() bool { return l.session.ahead.both.Load() == 0 && l.session.pendingRequests.Load() == 0 })
}
