package bridge

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The tests of package hub call the hub themselves. These show that the bridge hands it everything.

func TestAURLCanSayAllThatASubscribeRequestCan(t *testing.T) {
	r, given := parseConnect("/?sender=dome&throttle_ms=20&batch_ms=30&ordered=1&snapshot=1&since=e:5")
	if !given || r.Err != nil {
		t.Fatal(r.Err)
	}
	d := r.Subscribe
	got := fmt.Sprintf("%s %s %v %v %v %v %v", *d.ID, d.Spec.Filter.Key(), d.Spec.Throttle, d.Spec.Batch, d.Spec.Ordered, d.Snapshot, *d.Since)
	if want := `url {"sender":["dome"]} 20ms 30ms true true {e 5}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAClientThatLeavesIsForgotten(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	waiter := newHTTPWaiter(func() *hub.Viewer { return nil })
	if _, err := s.hub.Inflight.Add(s.clients()[0], hub.CommandKey{ID: "mine", Consumer: "dome"}, waiter); err != nil {
		t.Fatal(err)
	}
	_ = l.conn.Close()
	testkit.WaitUntil(t, "the hub has forgotten it", func() bool {
		f := s.hub.Figures()
		return f.V1Clients == 0 && f.Groups == 0
	})
	testkit.WaitUntil(t, "its command id is free", func() bool {
		_, err := s.hub.Inflight.Add(at("10.0.0.1:99"), hub.CommandKey{ID: "mine", Consumer: "weather"}, nil)
		return err == nil
	})
}

// The engine uses the memory of a message again once it was taken.
func TestAMessageThatWaitsForTheHelloIsCopied(t *testing.T) {
	s := newHarness(t)
	held := make(chan struct{})
	s.hub.Do(func() { <-held }) // the hello waits
	l := s.dial()
	s.engine.Each(func(conn engine.Conn, v any) {
		buf := []byte(`{"op": "ping", "id": "a"}`)
		handler{s.Bridge}.Message(conn, v, engine.Message{Payload: buf})
		copy(buf, `{"op": "ping", "id": "b"}`)
		handler{s.Bridge}.Message(conn, v, engine.Message{Payload: buf})
	})
	close(held)
	s.await(l, "hello")
	for _, id := range []string{"a", "b"} {
		if m := s.await(l, "pong"); m["id"] != id {
			t.Errorf("got %v, want the pong %s", m, id)
		}
	}
}

func TestCommandsAwaitedOverHTTPHaveABoundOfTheirOwn(t *testing.T) {
	s := newHarness(t)
	register := func(i int) error {
		o := &outgoing{client: at(fmt.Sprintf("10.0.0.1:%d", 1000+i))}
		o.CommandID, o.Consumer = fmt.Sprint(i), "dome"
		_, err := s.registerHTTP(o, true)
		return err
	}
	const most = 256
	for i := range most {
		if err := register(i); err != nil {
			t.Fatal(err)
		}
	}
	no, ok := errors.AsType[*protocol.Rejection](register(most))
	if !ok || no.Code != protocol.CodeFull || !strings.Contains(no.Message, "over HTTP") {
		t.Errorf("one more is answered with %v", no)
	}
}

func TestASessionThatSkippedRepliesIsMarked(t *testing.T) {
	s := newHarness(t)
	s.connect()
	c := s.clients()[0]
	if s.skipped(c, 3); !c.Session().Skipped.Load() {
		t.Error("the session is not marked")
	}
}
