package bridge

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
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
		d.doFor(&a, brief, does(what))
	}
	d.doFor(&b, brief, does("b1"))
	d.do(does("urgent"))
	close(begin)
	d.close()
	d.doFor(&a, brief, does("too late"))
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
	d.steps(&a, inTurns, func() bool {
		steps++
		done = append(done, fmt.Sprint("a1.", steps))
		if steps == 1 {
			d.doFor(&c, inTurns, func() { done = append(done, "c1") })
			d.do(func() { done = append(done, "urgent") })
			d.stepsFirst(&b, inTurns, func() bool { done = append(done, "b0"); return true })
		}
		return steps == 3
	})
	last := make(chan struct{})
	d.doFor(&a, inTurns, func() { done = append(done, "a2"); close(last) })
	for i := range 2 {
		d.doFor(&b, inTurns, func() { done = append(done, fmt.Sprint("b", i+1)) })
	}
	close(begin)
	<-last
	d.close()
	if got := strings.Join(done, " "); got != "a1.1 urgent b0 c1 a1.2 b1 a1.3 b2 a2" {
		t.Errorf("the order was %s", got)
	}
}

// Who asks for much holds up nobody who asks for little, nor is held up without end.
func TestTheDeskDoesWhatIsBriefBeforeWhatTakesTurns(t *testing.T) {
	d := newDesk()
	var done []string
	begin := make(chan struct{})
	d.do(func() { <-begin })
	var long, short, other lane
	steps, last := 0, make(chan struct{})
	d.steps(&long, inTurns, func() bool {
		steps++
		done = append(done, "step")
		if steps == 1 {
			d.doFor(&other, brief, func() { done = append(done, "other") })
		}
		if steps == 3 {
			close(last)
		}
		return steps == 3
	})
	for range briefInRow + 2 {
		d.doFor(&short, brief, func() { done = append(done, "brief") })
	}
	close(begin)
	<-last
	d.close()
	want := strings.Repeat("brief ", briefInRow) + "step brief other brief step step"
	if got := strings.Join(done, " "); got != want {
		t.Errorf("the order was %s,\nwant %s", got, want)
	}
}

// The hub's lock is held while its replies wait for the engine's loops.
func TestAnAnswerWaitsForNobodyWhoNeedsTheHubsLock(t *testing.T) {
	s := newStage(t)
	l, other := s.dialAt("/?silent=1"), s.dialAt("/?silent=1")
	s.await(l, "hello")
	s.await(other, "hello")
	s.hub.mu.Lock()
	release := sync.OnceFunc(s.hub.mu.Unlock)
	defer release()
	s.tell(other, `{"op": "subscribe", "id": "s"}`)
	s.ask(l, "pong", `{"op": "ping", "data": [1]}`)
	s.ask(l, "error", `{"op": "dance"}`)
	s.tell(l, `{"op": "unsubscribe", "id": "s"}`)
	s.tell(l, `{"op": "ping", "id": "behind"}`)
	release()
	s.await(l, "error")
	s.await(l, "pong")
	s.await(other, "ok")
}

func TestWhatAClientAskedForIsNotDoneOnceItIsGone(t *testing.T) {
	s, gone, done := newStage(t), &session{}, make(chan struct{})
	gone.closed.Store(true)
	if err := s.Bridge.ask(gone, func() { t.Error("it was done") }); err != nil {
		t.Error(err)
	}
	s.desk.doFor(&gone.lane, brief, func() { close(done) })
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

// Eight clients that connected to resume a long past and hung up, over and over, kept
// all others waiting for seven seconds.
func TestNothingIsDoneForTheGreetingOfWhoHasHungUp(t *testing.T) {
	s := newStage(t)
	s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
	id := "url"
	d := &demand{id: &id, wish: wish{filter: all()}, since: &since{s.hub.epoch, 0}, snapshot: true}
	greeted, gone := &session{id: "greeted"}, &session{id: "gone"}
	gone.early.Store(1)
	gone.closed.Store(true)
	s.desk.do(func() {
		s.greet(engine.Conn{}, &arrival{session: gone, demand: d})
		if len(gone.lane.tasks) > 0 {
			t.Error("what it asked for is queued")
		}
		h := s.hub
		step := h.subscribe(engine.Conn{}, greeted, *d, func() {})
		greeted.closed.Store(true)
		if !step() {
			t.Error("its past takes turns after it has hung up")
		}
	})
	s.desk.close()
}

// A loop that read long filters served none of its clients meanwhile.
func TestALongFilterIsReadAtTheDesk(t *testing.T) {
	s := newStage(t)
	l := s.dialAt("/?silent=1")
	s.await(l, "hello")
	held := make(chan struct{})
	release := sync.OnceFunc(func() { close(held) })
	defer release()
	s.desk.do(func() { <-held })
	long := strings.Repeat(" ", shortFilter)
	for _, op := range []string{"subscribe", "snapshot"} {
		s.tell(l, `{"op": "`+op+`", "filter": {"sender":`+long+`1}}`)
		s.tell(l, `{"op": "`+op+`", "filter": {"sender":`+long+`"dome"}}`)
	}
	s.tell(l, `{"op": "ping"}`)
	testkit.Eventually(t, 10*time.Second, "asking", func() error {
		var waiting []effort
		s.engine.Each(func(_ engine.Conn, v any) {
			s.desk.mu.Lock()
			defer s.desk.mu.Unlock()
			for _, q := range v.(*client).v1.Load().lane.tasks {
				waiting = append(waiting, q.effort)
			}
		})
		if got, want := fmt.Sprint(waiting), fmt.Sprint([]effort{inTurns, inTurns, inTurns, inTurns, unlocked}); got != want {
			return fmt.Errorf("there wait %s, not %s", got, want)
		}
		return nil
	})
	release()
	for _, answer := range []string{"error", "ok", "error", "snapshot", "pong"} {
		s.await(l, answer)
	}
}

func TestWhatIsTooLongIsNotDecoded(t *testing.T) {
	s := newStage(t)
	l := s.dialAt("/?silent=1")
	s.await(l, "hello")
	long := `"` + strings.Repeat(`\u0001`, 100_000) + `"`
	for _, message := range []string{
		`{"op": ` + long + `}`, `{"op": "ping", "id": ` + long + `}`, `{"op": "subscribe", "ordered": [` + long + `]}`,
	} {
		s.tell(l, message)
		if got := s.await(l, "error"); len(got["message"].(string)) > 300 {
			t.Errorf("the error is %d bytes long", len(got["message"].(string)))
		}
	}
}

// Whoever sends long requests faster than they are answered must not fill the memory.
func TestTheMessagesThatWaitForTheDeskAreBounded(t *testing.T) {
	b := &Bridge{}
	one, another := &session{}, &session{}
	const n = 1 << 20
	for range maxKeptOfOne / n {
		if !b.keep(one, n) {
			t.Fatal("there is no room")
		}
	}
	if b.keep(one, n) {
		t.Error("one client may have more than its part")
	}
	if !b.keep(one, shortMessage) || !b.keep(another, n) {
		t.Error("there is no room for a short one, or for another client")
	}
	b.kept.Store(maxKeptOfAll)
	if b.keep(another, n) {
		t.Error("all may have more than there is")
	}
	b.letGo(another, n)
	b.letGo(one, shortMessage)
	if got := b.kept.Load(); got != maxKeptOfAll-n || another.kept.Load() != 0 {
		t.Errorf("%d bytes are kept of all, %d of the other one", got, another.kept.Load())
	}
}
