package bridge

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestTheLanesOfTheDeskTakeTurnsAndEachKeepsItsOrder(t *testing.T) {
	d := newDesk()
	var done []string
	does := func(what string) func() { return func() { done = append(done, what) } }
	begin := make(chan struct{})
	d.do(func() { <-begin })
	var a, b lane
	for _, what := range []string{"a1", "a2", "a3"} {
		d.doFor(&a, does(what))
	}
	d.doFor(&b, does("b1"))
	d.do(does("urgent"))
	close(begin)
	d.close()
	d.doFor(&a, does("too late"))
	d.do(does("too late"))
	if got := strings.Join(done, " "); got != "urgent a1 b1 a2 a3" {
		t.Errorf("the order was %s", got)
	}
}

func TestWhatAClientAskedForIsNotDoneOnceItIsGone(t *testing.T) {
	s, gone, done := newStage(t), &session{}, make(chan struct{})
	gone.closed.Store(true)
	if err := s.Bridge.ask(gone, func() { t.Error("it was done") }); err != nil {
		t.Error(err)
	}
	s.desk.doFor(&gone.lane, func() { close(done) })
	<-done
}

func TestAClientMayAskAsMuchBeforeItsGreetingAsLater(t *testing.T) {
	s := newStage(t)
	held := make(chan struct{})
	greet := sync.OnceFunc(func() { close(held) })
	defer greet()
	s.desk.do(func() { <-held })
	l := s.dial()
	for range maxAsked {
		s.tell(l, `{"op": "ping"}`)
	}
	testkit.Eventually(t, 10*time.Second, "waiting for the greeting", func() error {
		var early int32
		s.engine.Each(func(_ engine.Conn, v any) { early = v.(*client).v1.Load().early.Load() })
		if early != 1+maxAsked {
			return fmt.Errorf("%d messages and the greeting wait", early-1)
		}
		return nil
	})
	greet()
	s.await(l, "hello")
	for range maxAsked {
		s.await(l, "pong")
	}
}
