package socketshark_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/dialect/socketshark"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

const open = `{"open": {"require-authentication": false, "extra-fields": ["x"]}}`

// Each client has its own order and throttle, whenever it came. Those that had the same share them.
func TestOrderAndThrottleAreEachClientsOwn(t *testing.T) {
	t.Parallel()
	s := newShark(t, open)
	first, second, third := s.connect(), s.connect(), s.connect()
	subscribe := `{"event": "subscribe", "subscription": "open.t"}`
	s.does(first, subscribe)
	s.publish("open.t", `"data": 1, "options": {"order": 5}`)
	s.getsData(first, "1")
	s.does(second, subscribe)
	s.publish("open.t", `"data": 2, "options": {"order": 4}`)
	s.getsData(second, "2")
	s.publish("open.t", `"data": 3, "options": {"order": 6, "throttle": 1}`)
	s.getsData(first, "3")
	s.getsData(second, "3")
	s.does(third, subscribe)
	s.publish("open.t", `"data": 4, "options": {"order": 7, "throttle": 1}`)
	s.getsData(third, "4")
	s.publish("open.t", `"data": 5, "options": {"order": 8, "throttle": 1}`)
	s.getsNothing(first)
	s.getsNothing(third)
	s.player.clock.Pass(time.Second)
	for _, c := range []*client{first, second, third} {
		s.getsData(c, "5")
	}
	s.publish("open.t", `"data": 6, "options": {"order": 8}`)
	s.publish("open.t", `"data": 7`)
	for _, c := range []*client{first, second, third} {
		s.getsData(c, "7")
		s.getsNothing(c)
	}
}

// A client that logs in as another gets the other's messages, and what it has had stays so.
func TestALoginMovesTheSubscriptions(t *testing.T) {
	t.Parallel()
	s := newShark(t, `{"own": {"require-authentication": false, "filter-fields": ["user"]}}`)
	c, other := s.connect(), s.connect()
	for _, c := range []*client{c, other} {
		s.does(c, `{"event": "subscribe", "subscription": "own.t"}`)
	}
	s.publish("own.t", `"data": 1, "options": {"order": 5, "throttle": 10}`)
	s.getsData(c, "1")
	s.publish("own.t", `"data": 2, "options": {"order": 6, "throttle": 10}`)
	c.send(ws.OpText, []byte(`{"event": "auth", "ticket": "t"}`))
	s.answer("/auth", `{"status": "ok", "user": 7}`)
	s.gets(c)
	s.publish("own.t", `"data": 3, "user": null`)
	s.publish("own.t", `"data": 4, "user": 7.0, "options": {"order": 6}`)
	s.publish("own.t", `"data": 5, "user": 7.0`)
	s.getsData(c, "5")
	s.player.clock.Pass(10 * time.Second)
	s.getsData(c, "2")
	s.getsData(other, "1", "3", "2")
	s.getsNothing(c)
	s.getsNothing(other)
}

// Two events of a client while a callback runs are handled after it, in their order, also if the client
// has gone meanwhile.
func TestEventsWaitForTheAnswerToTheOneBefore(t *testing.T) {
	t.Parallel()
	s := newShark(t, `{"slow": {"require-authentication": false, "before-subscribe": "URL/before", "on-message": "URL/message", "on-unsubscribe": "URL/left"}}`)
	c := s.connect()
	for _, event := range []string{"subscribe", "message", "unsubscribe", "subscribe", "message"} {
		c.send(ws.OpText, fmt.Appendf(nil, `{"event": %q, "subscription": "slow.t"}`, event))
	}
	s.answer("/before", `{"status": "ok"}`)
	s.answer("/message", `{"status": "ok", "data": 1}`)
	s.answer("/left", `{}`)
	for _, want := range []string{`"subscribe"`, `"message"`, `"unsubscribe"`} {
		if got := s.gets(c); !strings.Contains(got, want) {
			t.Fatalf("got %s, not %s", got, want)
		}
	}
	a := testkit.Receive(t, s.asked)
	c.conn.Close()
	a.answer <- answer{Status: 200, Body: `{"status": "ok"}`}
	s.answer("/message", `{"status": "ok"}`)
	s.answer("/left", `{}`)
}

// A message that has waited too long is not passed on.
func TestAMessageIsNotPassedOnLate(t *testing.T) {
	t.Parallel()
	s := newShark(t, `{"slow": {"require-authentication": false, "before-subscribe": "URL/before", "on-message": "URL/message"}}`)
	c := s.connect()
	c.send(ws.OpText, []byte(`{"event": "subscribe", "subscription": "slow.t"}`))
	a := testkit.Receive(t, s.asked)
	c.send(ws.OpText, []byte(`{"event": "message", "subscription": "slow.t"}`))
	c.send(ws.OpPing, nil)
	testkit.Receive(t, c.pongs) // it waits
	s.player.clock.Pass(2 * time.Minute)
	a.answer <- answer{Status: 200, Body: `{"status": "ok"}`}
	s.gets(c)
	if got := s.gets(c); !strings.Contains(got, "The message was not passed on: it waited for 120.0 s.") {
		t.Errorf("got %s", got)
	}
}

// What waits for a client, and what it subscribes to, is bounded.
func TestBounds(t *testing.T) {
	t.Parallel()
	s := newShark(t, `{"slow": {"require-authentication": false, "before-subscribe": "URL/before"}, "open": {"require-authentication": false, "extra-fields": ["x"]}}`,
		func(c *socketshark.Config) { c.MaxSubscriptions = 2 })
	c := s.connect()
	for _, event := range []struct{ sent, answer string }{
		{`{"event": "subscribe", "subscription": "open.` + strings.Repeat("n", 1024) + `"}`, "Invalid subscription format."},
		{`{"event": "subscribe", "subscription": "open.a", "x": "` + strings.Repeat("n", 16<<10) + `"}`, "The extra fields are too long."},
		{`{"event": "subscribe", "subscription": "open.a"}`, `"ok"`},
		{`{"event": "subscribe", "subscription": "open.b"}`, `"ok"`},
		{`{"event": "subscribe", "subscription": "open.c"}`, "You have 2 subscriptions, which is the limit."},
		{`{"event": "unsubscribe", "subscription": "open.b"}`, `"ok"`},
	} {
		if got := s.does(c, event.sent); !strings.Contains(got, event.answer) {
			t.Errorf("%.60s is answered %.200s", event.sent, got)
		}
	}
	c.send(ws.OpText, []byte(`{"event": "subscribe", "subscription": "slow.t"}`))
	a := testkit.Receive(t, s.asked)
	for n := range 1001 {
		s.publish("slow.t", fmt.Sprintf(`"data": %d`, n))
	}
	a.answer <- answer{Status: 200, Body: `{"status": "ok"}`}
	if got := s.gets(c); !strings.Contains(got, "Too many messages came meanwhile; subscribe again.") {
		t.Errorf("got %s", got)
	}
	c.send(ws.OpText, []byte(`{"event": "subscribe", "subscription": "slow.t"}`))
	testkit.Receive(t, s.asked)
	filler := []byte(`{"event": "ping", "data": "` + strings.Repeat("x", 900<<10) + `"}`)
	for range 5 {
		c.send(ws.OpText, filler)
	}
	if got := testkit.Receive(t, c.events); got.code != 1008 {
		t.Errorf("got %v", got)
	}
}

// Messages of a megabyte, and those that begin like others, arrive as they were published.
func TestLargeAndOddMessages(t *testing.T) {
	t.Parallel()
	s := newShark(t, open)
	c := s.connect()
	s.does(c, `{"event": "subscribe", "subscription": "open.ä/ö ..", "x": {"event": 1}}`)
	large := `"` + strings.Repeat("é", 1<<19) + `"`
	for _, data := range []string{large, `{"a": [1, 1e400, "\ud800"]}`, `12345678901234567890.10`} {
		s.publish("open.ä/ö ..", `"data": `+data)
		s.getsData(c, data)
	}
	s.publish("open.ä/ö ..", `"data": 1, "published_at": "2026-01-02T03:04:05.5Z", "options": {"order": "nan"}`)
	if got := s.gets(c); !strings.Contains(got, `"published_at":"2026-01-02T03:04:05.500000+00:00"`) || !strings.Contains(got, `"x":{"event": 1}`) {
		t.Errorf("got %s", got)
	}
}

// A subscription outlives an authorizer that cannot be reached, but not for ever. A refusal is told.
func TestRenewalWhileTheAuthorizerIsOut(t *testing.T) {
	t.Parallel()
	s := newShark(t, `{"own": {"require-authentication": false, "authorizer": "URL/may", "authorization-renewal-period": 60000000000}}`,
		func(c *socketshark.Config) { c.RenewalGrace = 150 * time.Second })
	c := s.connect()
	c.send(ws.OpText, []byte(`{"event": "subscribe", "subscription": "own.t"}`))
	s.answer("/may", `{"status": "ok"}`)
	s.gets(c)
	for _, is := range []answer{{Status: 503}, {Status: 200, Body: "no JSON"}, {Status: 503}} {
		s.getsNothing(c)
		s.renewal(is)
	}
	if got := s.gets(c); !strings.Contains(got, `"error":"Service unavailable."`) || !strings.Contains(got, `"unsubscribe"`) {
		t.Errorf("got %s", got)
	}
	if got := s.does(c, `{"event": "unsubscribe", "subscription": "own.t"}`); !strings.Contains(got, "Subscription does not exist.") {
		t.Errorf("got %s", got)
	}
}

// After a gap, clients with subscriptions of the source are closed, and no others.
func TestAGapClosesThoseWhoMayLackMessages(t *testing.T) {
	t.Parallel()
	s := newShark(t, open)
	idle, c := s.connect(), s.connect()
	s.does(c, `{"event": "subscribe", "subscription": "open.t"}`)
	s.player.dialect.Gap(&rooms.Source{Path: "/other"}, time.Time{}, time.Time{})
	s.player.clock.Pass(time.Minute)
	s.getsNothing(c)
	s.player.dialect.Gap(&rooms.Source{Path: "/s"}, time.Time{}, time.Time{})
	s.player.clock.Pass(time.Minute)
	if got := testkit.Receive(t, c.events); got.code != 1012 {
		t.Errorf("got %v", got)
	}
	s.getsNothing(idle)
}

// Answers of backends that are too long, of another type or cut off count as none.
func TestAnswersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/type":
			w.Header().Set("Content-Type", "text/html")
		case "/cut":
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "1000")
		case "/long":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, strings.Repeat(" ", 5<<20))
		}
		_, _ = io.WriteString(w, `{"status": "ok"}`)
	}))
	t.Cleanup(bad.Close)
	services := map[string]socketshark.Service{}
	no := false
	for _, name := range []string{"type", "cut", "long"} {
		services[name] = socketshark.Service{RequireAuthentication: &no, BeforeSubscribe: bad.URL + "/" + name}
	}
	s := newShark(t, `{}`, func(c *socketshark.Config) { c.Services = services })
	c := s.connect()
	for name := range services {
		if got := s.does(c, fmt.Sprintf(`{"event": "subscribe", "subscription": "%s.t"}`, name)); !strings.Contains(got, "Service unavailable.") {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// Each error of a configuration has its path.
func TestConfigurationErrors(t *testing.T) {
	t.Parallel()
	cfg := &socketshark.Config{
		Authentication: socketshark.Authentication{Ticket: &socketshark.Ticket{}},
		HTTP:           socketshark.HTTP{CAFile: "missing"},
		OnGap:          "x",
		Services: map[string]socketshark.Service{
			"a.b": {},
			"s":   {OnMessage: "backend", AuthorizationRenewalPeriod: 1, HeartbeatPeriod: 1},
		},
	}
	_, err := socketshark.New(cfg, dialect.Place{}, dialect.Host{})
	want := map[string]bool{
		"authentication.ticket.validation-url": true, "http.ca-file": true, "on-gap": true, "services": true,
		"services.s.on-message": true, "services.s.authorization-renewal-period": true, "services.s.on-heartbeat": true,
	}
	all, _ := err.(interface{ Unwrap() []error })
	for _, e := range all.Unwrap() {
		at, ok := errors.AsType[*dialect.PathError](e)
		if !ok || !want[at.Path] {
			t.Errorf("unexpected: %v", e)
			continue
		}
		delete(want, at.Path)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}
