package socketshark

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// newState returns a dialect whose clients have no connection, so that what is kept for them can be looked at.
func newState(t *testing.T, services map[string]Service) (*Dialect, *testkit.Clock) {
	t.Helper()
	clock := &testkit.Clock{}
	no := false
	for name, s := range services {
		s.RequireAuthentication = &no
		services[name] = s
	}
	h := dialect.Host{Logger: slog.New(slog.DiscardHandler), Now: clock.Now, After: clock.After}
	d, err := New(&Config{Services: services}, dialect.Place{Path: "/s", Rooms: "/s"}, h)
	if err != nil {
		t.Fatal(err)
	}
	return d.(*Dialect), clock
}

func (d *Dialect) joins(event string) *session {
	s := &session{d: d}
	s.Message(engine.Conn{}, engine.Message{Payload: []byte(event)})
	return s
}

func (d *Dialect) gets(name, rest string) {
	d.Deliver(&rooms.Message{Path: "/s/" + rooms.EscapeName(name), Format: rooms.FormatSocketShark, Whole: fmt.Appendf(nil, `{"subscription": %q, %s}`, name, rest)})
}

// A message that waits for many subscriptions, each with its own throttle, takes memory once. Nothing is kept for
// subscriptions that have ended.
func TestAMessageThatWaitsForManyCountsOnce(t *testing.T) {
	d, clock := newState(t, map[string]Service{"s": {}})
	var sessions []*session
	large := fmt.Sprintf(`"data": "%0100000d", "options": {"throttle": 10, "order": %%d, "order_key": "%%d"}`, 0)
	for n := range 20 {
		sessions = append(sessions, d.joins(`{"event": "subscribe", "subscription": "s.t"}`))
		d.gets("s.t", fmt.Sprintf(large, n, n))
		clock.Pass(time.Millisecond)
	}
	if got := d.waiting.Load(); got < 100_000 || got > 400_000 {
		t.Errorf("%d bytes wait", got)
	}
	clock.Pass(time.Second)
	for _, s := range sessions[:10] {
		s.Closed(1000, "")
	}
	clock.Pass(time.Minute)
	d.gets("s.t", fmt.Sprintf(large, 100, 0))
	for _, s := range sessions[10:] {
		s.Closed(1000, "")
	}
	if waiting, marks := d.waiting.Load(), d.marks.Load(); waiting != 0 || marks != 0 || len(d.topics) != 0 || clock.Timers() != 0 {
		t.Errorf("%d bytes, %d marks, %d topics and %d timers are left", waiting, marks, len(d.topics), clock.Timers())
	}
}

// The throttled keys of all subscriptions together are bounded, as their orders are.
func TestMarksAreBounded(t *testing.T) {
	d, _ := newState(t, map[string]Service{"s": {}})
	d.joins(`{"event": "subscribe", "subscription": "s.t"}`)
	d.marks.Store(maxMarks - 10)
	for n := range 20 {
		d.gets("s.t", fmt.Sprintf(`"data": 1, "options": {"throttle": 10, "throttle_key": %d}`, n))
	}
	if got := d.marks.Load(); got != maxMarks {
		t.Errorf("there are %d marks", got)
	}
}

// A subscription may end on its own at any time, and its backend is told: not on the engine's loop.
func TestAnEventOfASubscriptionThatMayEndAsksABackend(t *testing.T) {
	url := "http://127.0.0.1:1/"
	d, _ := newState(t, map[string]Service{"s": {Authorizer: url, AuthorizationRenewalPeriod: time.Minute, OnUnsubscribe: url}})
	s := &session{d: d}
	s.add(&subscription{session: s, name: "s.t", service: d.services["s"]})
	if !s.parse(item{event: []byte(`{"event": "message", "subscription": "s.t"}`)}).asks() {
		t.Error("it is handled on the loop")
	}
}

// The fields that filter are those of the time at which a subscription is moved, so that of two moves, by a login and by
// an authorizer, the later has the last fields.
func TestASubscriptionIsMovedByItsLastFields(t *testing.T) {
	d, _ := newState(t, map[string]Service{"s": {FilterFields: []string{"user"}}})
	s := d.joins(`{"event": "subscribe", "subscription": "s.t"}`)
	sub := s.subscriptions["s.t"]
	sub.topic.mu.Lock()
	var moving sync.WaitGroup
	moving.Go(func() { sub.topic.regroup(sub) })
	for range 1000 {
		runtime.Gosched()
	}
	s.mu.Lock()
	s.authInfo = object{{"user", quoted("new")}}
	s.mu.Unlock()
	sub.topic.mu.Unlock()
	moving.Wait()
	if got := sub.cohort.group.filters["user"]; got != `"new"` {
		t.Errorf("it gets the messages of %s", got)
	}
}
