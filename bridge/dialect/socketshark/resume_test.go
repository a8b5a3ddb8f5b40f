package socketshark

import (
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// newResumable is newState for clients that resume, and what publishes to them.
func newResumable(t *testing.T) (d *Dialect, publish func(rest string)) {
	t.Helper()
	d, clock := newState(t, map[string]Service{"s": {}})
	clock.Pass(time.Hour)
	q := rooms.NewSequencer(func(m *rooms.Message) {
		d.host.Resuming.Deliver(m)
		d.Deliver(m)
	}, nil)
	d.host.Resuming = rooms.NewResuming(q, nil, "e", 1<<20)
	return d, func(rest string) {
		text := []byte(`{"subscription": "s.t", ` + rest + `}`)
		q.Take(rooms.Message{Path: "/s/s.t", Format: rooms.FormatSocketShark, Whole: text, Body: text})
	}
}

// A message that is older than one that a page had before its place does not come after it, whatever the page missed.
func TestTheOrdersBeforeAPlaceCount(t *testing.T) {
	d, publish := newResumable(t)
	publish(`"data": "new", "options": {"order": 5}`)
	publish(`"data": "old", "options": {"order": 3}`)
	s := d.joins(`{"event": "subscribe", "subscription": "s.t", "since": "e:1"}`)
	sub := s.subscriptions["s.t"]
	if got := sub.cohort.flow.orders; len(got) != 1 || got["null"] != 5 || *sub.resumed.Resumed != true {
		t.Errorf("after the page has had 5, the orders are %v: %v", got, sub.resumed)
	}
	if s := d.joins(`{"event": "subscribe", "subscription": "s.t", "since": "e:0"}`); s.subscriptions["s.t"].cohort.flow.orders["null"] != 5 {
		t.Error("what was missed has no order")
	}
	if d.waiting.Load() != 0 || d.marks.Load() > 2 {
		t.Errorf("%d bytes and %d marks are left", d.waiting.Load(), d.marks.Load())
	}
}

// When a message has waited for its throttle, others have come before it, which do not come again.
func TestTheLastPlaceIsTheLatest(t *testing.T) {
	d, publish := newResumable(t)
	s := d.joins(`{"event": "subscribe", "subscription": "s.t", "since": "now"}`)
	for range 2 {
		publish(`"data": "waits", "options": {"throttle": 10}`)
	}
	publish(`"data": "comes at once"`)
	sub := s.subscriptions["s.t"]
	sub.topic.mu.Lock()
	defer sub.topic.mu.Unlock()
	for _, w := range sub.cohort.flow.throttles {
		if f := string(sub.cohort.group.frame(sub.topic, w.pending, true, false).Payload()); !strings.Contains(f, `"since":"e:3"`) {
			t.Errorf("the message that waited comes as %s", f)
		}
	}
	if len(sub.cohort.flow.throttles) != 1 {
		t.Error("none waits")
	}
}

// Places are kept with subscriptions, so they are short.
func TestALongTextIsNoPlace(t *testing.T) {
	d, _ := newResumable(t)
	s := d.joins(`{"event": "subscribe", "subscription": "s.t", "since": "` + strings.Repeat("e", 1<<20) + `:1"}`)
	if s.subscriptions["s.t"].since != nil {
		t.Error("it is kept")
	}
}
