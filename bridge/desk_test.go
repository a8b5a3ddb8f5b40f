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

// A long task of one client holds nobody up for longer than a step of it, and its own
// next request waits for its end.
func TestBetweenTheStepsOfATaskTheOtherLanesHaveTheirTurns(t *testing.T) {
	d := newDesk()
	var done []string
	begin := make(chan struct{})
	d.do(func() { <-begin })
	var a, b, c lane
	steps := 0
	d.steps(&a, func() bool {
		steps++
		done = append(done, fmt.Sprint("a1.", steps))
		if steps == 1 {
			d.doFor(&c, func() { done = append(done, "c1") })
			d.do(func() { done = append(done, "urgent") })
			d.stepsFirst(&b, func() bool { done = append(done, "b0"); return true })
		}
		return steps == 3
	})
	last := make(chan struct{})
	d.doFor(&a, func() { done = append(done, "a2"); close(last) })
	for i := range 2 {
		d.doFor(&b, func() { done = append(done, fmt.Sprint("b", i+1)) })
	}
	close(begin)
	<-last
	d.close()
	if got := strings.Join(done, " "); got != "a1.1 urgent b0 c1 a1.2 b1 a1.3 b2 a2" {
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
