package socketshark_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/dialect/socketshark"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A backend that hangs delays no other's callbacks. Its own wait for their turn no longer than for an answer.
func TestABackendThatHangsDelaysNoOther(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(consent))
	t.Cleanup(other.Close)
	services := `{"hung": {"require-authentication": false, "before-subscribe": "URL/hung"}, "well": {"require-authentication": false, "before-subscribe": "` + other.URL + `"}}`
	s := newShark(t, services, func(c *socketshark.Config) { c.HTTP.MaxConcurrent, c.HTTP.Timeout = 1, time.Minute })
	first, second, third := s.connect(), s.connect(), s.connect()
	for _, c := range []*client{first, second} {
		c.send(ws.OpText, []byte(`{"event": "subscribe", "subscription": "hung.t"}`))
	}
	testkit.Receive(t, s.asked)
	if got := s.does(third, `{"event": "subscribe", "subscription": "well.t"}`); !strings.Contains(got, `"ok"`) {
		t.Errorf("got %s", got)
	}
	testkit.WaitUntil(t, "both callbacks wait", func() bool { return s.player.clock.Timers() == 2 })
	s.player.clock.Pass(time.Minute)
	for _, c := range []*client{first, second} {
		if got := s.gets(c); !strings.Contains(got, "Service unavailable.") {
			t.Errorf("got %s", got)
		}
	}
}

func consent(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status": "ok"}`)
}

// A message that its backend may only get late is not passed on. One whose client has gone is, as often as the
// configuration says.
func TestAMessageIsTriedInTimeOrNot(t *testing.T) {
	t.Parallel()
	s := newShark(t, `{"own": {"require-authentication": false, "on-message": "URL/message"}}`,
		func(c *socketshark.Config) { c.HTTP.Tries, c.HTTP.Wait = 2, time.Second })
	c := s.connect()
	s.does(c, `{"event": "subscribe", "subscription": "own.t"}`)
	c.send(ws.OpText, []byte(`{"event": "message", "subscription": "own.t"}`))
	testkit.Receive(t, s.asked).answer <- answer{Status: 429, Headers: map[string]string{"X-Rate-Limit-Reset": "61"}}
	if got := s.gets(c); !strings.Contains(got, "Service unavailable.") {
		t.Errorf("got %s", got)
	}
	c.send(ws.OpText, []byte(`{"event": "message", "subscription": "own.t"}`))
	a := testkit.Receive(t, s.asked)
	c.conn.Close()
	testkit.Await(t, c.ended)
	a.answer <- answer{Status: 500}
	// In short steps: it is not tried again once it is too late.
	s.answerAfter(50*time.Millisecond, "/message", `{"status": "ok"}`)
}

// What a client that has gone has sent is not handled for ever if the backend hangs.
func TestEventsOfAClientThatHasGone(t *testing.T) {
	t.Parallel()
	s := newShark(t, `{"own": {"require-authentication": false, "before-subscribe": "URL/before"}}`)
	c := s.connect()
	for _, name := range "abcd" {
		c.send(ws.OpText, fmt.Appendf(nil, `{"event": "subscribe", "subscription": "own.%c"}`, name))
	}
	a := testkit.Receive(t, s.asked)
	c.send(ws.OpPing, nil)
	testkit.Receive(t, c.pongs)
	c.conn.Close()
	testkit.WaitUntil(t, "the client has left", func() bool { return s.player.server.bridge.Clients() == 0 })
	s.player.clock.Pass(2 * time.Minute)
	a.answer <- answer{Status: 200, Body: `{"status": "ok"}`}
	s.asksNothingElse()
}

// asksNothingElse stops the bridge, and checks that the backend is not asked.
func (s *shark) asksNothingElse() {
	s.t.Helper()
	s.player.server.stop()
	testkit.Await(s.t, s.player.server.ended)
	select {
	case a := <-s.asked:
		s.t.Errorf("the backend is also asked %s %s", a.path, a.body)
	default:
	}
}

// The answer to the renewal of a subscription that has ended meanwhile changes nothing, and is not asked for again.
func TestRenewalOfASubscriptionThatHasEnded(t *testing.T) {
	t.Parallel()
	s := newShark(t, `{"own": {"require-authentication": false, "authorizer": "URL/may", "authorizer-fields": ["role"], "authorization-renewal-period": 60000000000,
		"on-authorization-change": "URL/changed", "filter-fields": ["role"]}}`, func(c *socketshark.Config) { c.HTTP.Tries = 2 })
	for _, is := range []answer{{Status: 200, Body: `{"status": "ok", "role": 2}`}, {Status: 200, Body: `{"status": "error"}`}, {Status: 500}} {
		c := s.connect()
		c.send(ws.OpText, []byte(`{"event": "subscribe", "subscription": "own.t"}`))
		s.answer("/may", `{"status": "ok", "role": 1}`)
		s.gets(c)
		testkit.Receive(t, s.minutes) // the renewal is scheduled after the answer
		s.player.clock.Pass(time.Minute)
		a := testkit.Receive(t, s.asked)
		if got := s.does(c, `{"event": "unsubscribe", "subscription": "own.t"}`); !strings.Contains(got, `"ok"`) {
			t.Errorf("got %s", got)
		}
		a.answer <- is
		testkit.WaitUntil(t, "the renewal is over", func() bool {
			s.player.clock.Pass(5 * time.Second)
			return s.player.clock.Timers() == 0
		})
		s.getsNothing(c)
	}
	s.asksNothingElse()
}

// An authorizer that is out, in whichever way, unsubscribes nobody. One that refuses does.
func TestAnOutageUnsubscribesNobody(t *testing.T) {
	t.Parallel()
	s := newShark(t, `{"own": {"require-authentication": false, "authorizer": "URL/may", "authorization-renewal-period": 60000000000, "on-unsubscribe": "URL/left"}}`)
	c := s.connect()
	c.send(ws.OpText, []byte(`{"event": "subscribe", "subscription": "own.t"}`))
	s.answer("/may", `{"status": "ok"}`)
	s.gets(c)
	for _, status := range []int{500, 502, 503, 404, 405, 408, 421, 425, 429, 400} {
		s.renewal(answer{Status: status})
	}
	s.renewal(answer{Status: 200, Body: `{"status": "ok"}`})
	s.publish("own.t", `"data": 1`)
	s.getsData(c, "1")
	s.renewal(answer{Status: 403})
	s.answer("/left", `{}`)
	if got := s.gets(c); !strings.Contains(got, `"unsubscribe"`) || !strings.Contains(got, `"error":"Service unavailable."`) {
		t.Errorf("got %s", got)
	}
}

// Each subscription that its backend has consented to ends once for it, whichever way it ends.
func TestABackendIsToldOnceOfEachEnd(t *testing.T) {
	t.Parallel()
	book := &visitors{told: map[string][]string{}, held: make(chan chan struct{}, 1)}
	backend := httptest.NewServer(book)
	t.Cleanup(backend.Close)
	services := strings.ReplaceAll(`{"s": {"require-authentication": false, "before-subscribe": "BACKEND/before", "on-subscribe": "BACKEND/on",
		"before-unsubscribe": "BACKEND/leaves", "on-unsubscribe": "BACKEND/left", "on-message": "BACKEND/message",
		"authorizer": "BACKEND/may", "authorization-renewal-period": 60000000000}}`, "BACKEND", backend.URL)
	s := newShark(t, services)
	clients := map[string]*client{}
	for _, name := range []string{"unsubscribes", "closes", "drops", "refused", "broken", "stopped"} {
		clients[name] = s.connect()
		if got := s.does(clients[name], fmt.Sprintf(`{"event": "subscribe", "subscription": "s.%s"}`, name)); !strings.Contains(got, `"ok"`) {
			t.Fatalf("%s: got %s", name, got)
		}
	}
	s.does(clients["unsubscribes"], `{"event": "unsubscribe", "subscription": "s.unsubscribes"}`)
	clients["closes"].send(ws.OpClose, ws.NewCloseFrameBody(1000, ""))
	clients["drops"].conn.Close()
	s.does(clients["broken"], `{"event": "message", "subscription": "s.broken"}`)
	hot := s.connect()
	hot.send(ws.OpText, []byte(`{"event": "subscribe", "subscription": "s.hot"}`))
	answerNow := testkit.Receive(t, book.held)
	for n := range 1001 {
		s.publish("s.hot", fmt.Sprintf(`"data": %d`, n))
	}
	close(answerNow)
	if got := s.gets(hot); !strings.Contains(got, "Too many messages came meanwhile; subscribe again.") {
		t.Errorf("got %s", got)
	}
	testkit.WaitUntil(t, "the next renewals are due", func() bool { return s.player.clock.Timers() == 2 })
	s.player.clock.Pass(time.Minute)
	if got := s.gets(clients["refused"]); !strings.Contains(got, `"error":"Unauthorized."`) {
		t.Errorf("got %s", got)
	}
	s.player.server.stop()
	testkit.Await(t, s.player.server.ended)
	for name := range clients {
		if got := book.told["s."+name]; !slices.Equal(got, []string{"/before", "/on", "/leaves", "/left"}) {
			t.Errorf("%s: the backend is told %v", name, got)
		}
	}
	if got := book.told["s.hot"]; !slices.Equal(got, []string{"/before", "/leaves", "/left"}) {
		t.Errorf("the backend is told %v", got)
	}
}

// visitors is a backend that notes what it is told of each subscription.
type visitors struct {
	held chan chan struct{} // what must be closed before it consents to s.hot

	mu   sync.Mutex // guards the following field
	told map[string][]string
}

func (v *visitors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Subscription string }
	_ = json.NewDecoder(r.Body).Decode(&asked)
	v.mu.Lock()
	n := len(v.told[asked.Subscription])
	if r.URL.Path != "/may" && r.URL.Path != "/message" {
		v.told[asked.Subscription] = append(v.told[asked.Subscription], r.URL.Path)
	}
	v.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path == "/may" && asked.Subscription == "s.refused" && n > 0:
		_, _ = io.WriteString(w, `{"status": "error"}`)
		return
	case r.URL.Path == "/message":
		_, _ = io.WriteString(w, `no JSON`)
		return
	case r.URL.Path == "/before" && asked.Subscription == "s.hot":
		release := make(chan struct{})
		v.held <- release
		<-release
	}
	_, _ = io.WriteString(w, `{"status": "ok"}`)
}

// A bridge that stops does not wait for ever for a backend that hangs.
func TestABridgeStopsAlthoughABackendHangs(t *testing.T) {
	t.Parallel()
	s := newShark(t, `{"s": {"require-authentication": false, "before-unsubscribe": "URL/leaves", "on-unsubscribe": "URL/left"}}`)
	c := s.connect()
	s.does(c, `{"event": "subscribe", "subscription": "s.t"}`)
	s.player.server.stop()
	if got := testkit.Receive(t, c.events); got.code != 1001 {
		t.Errorf("got %v", got)
	}
	testkit.Receive(t, s.asked)
	testkit.WaitUntil(t, "the bridge waits", func() bool { return s.player.clock.Timers() == 2 })
	s.player.clock.Pass(15 * time.Second)
	testkit.Await(t, s.player.server.ended)
}

// Backends may be asked over TLS, with the authorities of a file.
func TestBackendsByTLS(t *testing.T) {
	t.Parallel()
	backend := httptest.NewUnstartedServer(http.HandlerFunc(consent))
	backend.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	backend.StartTLS()
	t.Cleanup(backend.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: backend.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, answer string }{{file, `"ok"`}, {"", "Service unavailable."}} {
		s := newShark(t, `{"s": {"require-authentication": false, "before-subscribe": "`+backend.URL+`"}}`, func(cfg *socketshark.Config) { cfg.HTTP.CAFile = c.file })
		if got := s.does(s.connect(), `{"event": "subscribe", "subscription": "s.t"}`); !strings.Contains(got, c.answer) {
			t.Errorf("with the file %q: got %s", c.file, got)
		}
	}
}

// lateDialect is a dialect whose clients' messages come after the process stood still.
type lateDialect struct{ dialect.Dialect }

func (d lateDialect) Accept(r *dialect.Request) (dialect.Accepted, error) {
	a, err := d.Dialect.Accept(r)
	a.Session = lateSession{a.Session}
	return a, err
}

type lateSession struct{ dialect.Session }

func (s lateSession) Message(conn engine.Conn, m engine.Message) {
	m.Late = 90 * time.Second
	s.Session.Message(conn, m)
}

// A message that waited while the process stood still is not passed on, and its client is told. Other events are handled.
func TestAMessageThatWaitedWhileTheProcessStoodStill(t *testing.T) {
	t.Parallel()
	s := &shark{t: t, asked: make(chan *asked, 1)}
	cfg := &socketshark.Config{}
	no := false
	cfg.Services = map[string]socketshark.Service{"s": {RequireAuthentication: &no, OnMessage: "http://127.0.0.1:1/"}}
	place := dialect.Place{Path: "/s", Rooms: "/s"}
	s.player.server = startServerWith(t, nil, nil, dialect.Mount{Place: place, New: func(h dialect.Host) (dialect.Dialect, error) {
		d, err := socketshark.New(cfg, place, h)
		return lateDialect{d}, err
	}})
	c := s.connect()
	t.Cleanup(func() { c.conn.Close() })
	s.does(c, `{"event": "subscribe", "subscription": "s.t"}`)
	if got := s.does(c, `{"event": "message", "subscription": "s.t", "data": 1}`); !strings.Contains(got, "The message was not passed on: the server stood still for 90.0 s.") {
		t.Errorf("got %s", got)
	}
	s.getsNothing(c)
}
