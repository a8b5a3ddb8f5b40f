package hub

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestClientsTakeTurnsAndEachKeepsItsOrder(t *testing.T) {
	d := newWorkQueue()
	var done []string
	does := func(what string) func() { return func() { done = append(done, what) } }
	begin := make(chan struct{})
	d.submitUrgent(func() { <-begin })
	var a, b clientQueue
	for _, what := range []string{"a1", "a2", "a3"} {
		d.submit(&a, brief, does(what))
	}
	d.submit(&b, brief, does("b1"))
	d.submitUrgent(does("urgent"))
	close(begin)
	d.close()
	d.submit(&a, brief, does("too late"))
	d.submitUrgent(does("too late"))
	if got := strings.Join(done, " "); got != "urgent a1 b1 a2 a3" {
		t.Errorf("the order was %s", got)
	}
}

// A long task delays other clients for no longer than a step of it. The client's own next request
// waits for its end.
func TestBetweenTheStepsOfATaskOtherClientsHaveTheirTurns(t *testing.T) {
	d := newWorkQueue()
	var done []string
	begin := make(chan struct{})
	d.submitUrgent(func() { <-begin })
	var a, b, c clientQueue
	steps := 0
	d.submitSteps(&a, multiTurn, func() bool {
		steps++
		done = append(done, fmt.Sprint("a1.", steps))
		if steps == 1 {
			d.submit(&c, multiTurn, func() { done = append(done, "c1") })
			d.submitUrgent(func() { done = append(done, "urgent") })
			d.submitFirst(&b, multiTurn, func() bool { done = append(done, "b0"); return true })
		}
		return steps == 3
	})
	last := make(chan struct{})
	d.submit(&a, multiTurn, func() { done = append(done, "a2"); close(last) })
	for i := range 2 {
		d.submit(&b, multiTurn, func() { done = append(done, fmt.Sprint("b", i+1)) })
	}
	close(begin)
	<-last
	d.close()
	if got := strings.Join(done, " "); got != "a1.1 urgent b0 c1 a1.2 b1 a1.3 b2 a2" {
		t.Errorf("the order was %s", got)
	}
}

// Long tasks do not delay brief ones, and are not delayed forever by them.
func TestBriefTasksGoBeforeLongOnes(t *testing.T) {
	d := newWorkQueue()
	var done []string
	begin := make(chan struct{})
	d.submitUrgent(func() { <-begin })
	var long, short, other clientQueue
	steps, last := 0, make(chan struct{})
	d.submitSteps(&long, multiTurn, func() bool {
		steps++
		done = append(done, "step")
		if steps == 1 {
			d.submit(&other, brief, func() { done = append(done, "other") })
		}
		if steps == 3 {
			close(last)
		}
		return steps == 3
	})
	for range maxBriefRun + 2 {
		d.submit(&short, brief, func() { done = append(done, "brief") })
	}
	close(begin)
	<-last
	d.close()
	want := strings.Repeat("brief ", maxBriefRun) + "step brief other brief step step"
	if got := strings.Join(done, " "); got != want {
		t.Errorf("the order was %s,\nwant %s", got, want)
	}
}

// The hub's lock may be held for long, while a reply goes to many groups.
func TestAnUnlockedAnswerDoesNotWaitForTheHubsLock(t *testing.T) {
	s := newHarness(t)
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

func TestTheRequestsOfADisconnectedClientAreDropped(t *testing.T) {
	s, gone, done := newHarness(t), &Session{}, make(chan struct{})
	gone.closed.Store(true)
	if err := s.hub.submit(gone, func() { t.Error("it was done") }); err != nil {
		t.Error(err)
	}
	s.hub.queue.submit(&gone.queue, brief, func() { close(done) })
	<-done
}

func TestAClientMaySendAsManyRequestsBeforeItsHelloAsLater(t *testing.T) {
	s := newHarness(t)
	held := make(chan struct{})
	greet := sync.OnceFunc(func() { close(held) })
	defer greet()
	s.hub.queue.submitUrgent(func() { <-held })
	l := s.dial()
	for range maxPendingRequests {
		s.tell(l, `{"op": "ping"}`)
	}
	if n := l.session.preHello.Load(); n != 1+maxPendingRequests {
		t.Errorf("%d messages and the hello wait", n-1)
	}
	greet()
	s.await(l, "hello")
	for range maxPendingRequests {
		s.await(l, "pong")
	}
}

// Eight clients that connected to resume a long past and disconnected, over and over, delayed all
// others by seven seconds.
func TestADisconnectedClientIsNotGreeted(t *testing.T) {
	s := newHarness(t)
	s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
	id := "url"
	d := &SubscribeRequest{ID: &id, Spec: Spec{Filter: all()}, Since: &protocol.Since{Epoch: s.hub.Epoch, Seq: 0}, Snapshot: true}
	greeted, gone := &Session{ID: "greeted"}, &Session{ID: "gone"}
	gone.preHello.Store(1)
	gone.closed.Store(true)
	s.hub.queue.submitUrgent(func() {
		s.hub.greet(&recordingClient{}, gone, &ConnectRequest{Subscribe: d}, protocol.Hello{})
		if len(gone.queue.tasks) > 0 {
			t.Error("what it asked for is queued")
		}
		h := s.hub
		step := h.subscribeTask(&recordingClient{}, greeted, *d, func() {})
		greeted.closed.Store(true)
		if !step() {
			t.Error("its replay takes turns after it has disconnected")
		}
	})
	s.hub.queue.close()
}

// A loop that parsed long filters did not serve its other clients meanwhile.
func TestALongFilterIsParsedByTheQueue(t *testing.T) {
	s := newHarness(t)
	l := s.dialAt("/?silent=1")
	s.await(l, "hello")
	testkit.Eventually(t, testkit.Patience, "no message waits for the hello", func() error {
		if n := l.session.preHello.Load(); n > 0 {
			return fmt.Errorf("there wait %d", n)
		}
		return nil
	})
	held := make(chan struct{})
	release := sync.OnceFunc(func() { close(held) })
	defer release()
	s.hub.queue.submitUrgent(func() { <-held })
	long := strings.Repeat(" ", longFilter)
	for _, op := range []string{"subscribe", "snapshot"} {
		s.tell(l, `{"op": "`+op+`", "filter": {"sender":`+long+`1}}`)
		s.tell(l, `{"op": "`+op+`", "filter": {"sender":`+long+`"dome"}}`)
	}
	s.tell(l, `{"op": "ping"}`)
	s.hub.queue.mu.Lock()
	var waiting []effort
	for _, q := range l.session.queue.tasks {
		waiting = append(waiting, q.effort)
	}
	s.hub.queue.mu.Unlock()
	if want := []effort{multiTurn, multiTurn, multiTurn, multiTurn, unlocked}; !slices.Equal(waiting, want) {
		t.Errorf("there wait %v, want %v", waiting, want)
	}
	release()
	for _, answer := range []string{"error", "ok", "error", "snapshot", "pong"} {
		s.await(l, answer)
	}
}

// Clients that send long requests faster than they are answered must not fill the memory.
func TestTheBytesOfQueuedMessagesAreBounded(t *testing.T) {
	b := &Hub{}
	one, another := &Session{}, &Session{}
	const n = 1 << 20
	for range maxPendingBytes / n {
		if !b.reserve(one, n) {
			t.Fatal("there is no room")
		}
	}
	if b.reserve(one, n) {
		t.Error("one client may have more than its share")
	}
	if !b.reserve(one, shortMessage) || !b.reserve(another, n) {
		t.Error("there is no room for a short one, or for another client")
	}
	b.pendingBytes.Store(maxTotalPendingBytes)
	if b.reserve(another, n) {
		t.Error("all may have more than there is")
	}
	b.release(another, n)
	b.release(one, shortMessage)
	if got := b.pendingBytes.Load(); got != maxTotalPendingBytes-n || another.pendingBytes.Load() != 0 {
		t.Errorf("%d bytes are kept of all, %d of the other one", got, another.pendingBytes.Load())
	}
}

func TestCloseFinishesWhatFollowsTheTaskThatRuns(t *testing.T) {
	for _, c := range []struct{ runs, follows, of effort }{
		{brief, unlocked, brief}, {brief, unlocked, multiTurn}, {unlocked, brief, unlocked}, {brief, unlocked, efforts}, // efforts is an urgent one
	} {
		synctest.Test(t, func(t *testing.T) {
			q, client, other := newWorkQueue(), &clientQueue{}, &clientQueue{}
			end, done := make(chan struct{}), atomic.Int32{}
			q.submit(client, c.runs, func() { <-end })
			synctest.Wait()
			q.submit(client, c.follows, func() { done.Add(1) })
			if c.of == efforts {
				q.submitUrgent(func() { done.Add(1) })
			} else {
				q.submit(other, c.of, func() { done.Add(1) })
			}
			closed := make(chan struct{})
			go func() { q.close(); close(closed) }()
			synctest.Wait()
			close(end)
			<-closed
			if done.Load() != 2 {
				t.Errorf("%+v: %d of 2 tasks are done", c, done.Load())
			}
		})
	}
}

func TestTheRequestsThatWaitForAnAnswerAreBounded(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	s.hub.mu.Lock() // so that none is answered
	for i := range maxPendingRequests {
		if err := s.hub.Unsubscribe(l, l.session, nil); err != nil {
			t.Errorf("request %d: %v", i, err)
		}
	}
	if err := s.hub.Unsubscribe(l, l.session, nil); err != ErrTooManyRequests {
		t.Errorf("one more: %v", err)
	}
	s.hub.mu.Unlock()
}
