package reddit

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/internal/limitedlog"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Signatures of paths, until 2100.
const (
	signedFoo    = "AQAAAFeG9M7SCZxjTuxwtUEtP4Mmrnk29b9V0olRNxLY5CFZaqSh"
	signedFooBar = "AQAAAFeG9OkqGwjjQ7TKRhjrvPqRF7eWYhzSASYJkl7Z8tcADOyb"
)

// A message for a namespace is for those below it, too, and what pages send changes nothing.
func TestAMessageReachesTheNamespacesBelow(t *testing.T) {
	h := newHarness(t, func(*bridge.Config, *Config) {})
	foo, below := h.connect("/foo?m="+signedFoo, nil), h.connect("/foo/bar?m="+signedFooBar, nil)
	below.write(ws.NewBinaryFrame([]byte{0xff}))
	for key, both := range map[string]bool{"/": true, "/foo": true, "/foo/bar": false, "/fo": false, "/foo/ba": false} {
		h.publish(key, []byte(key))
		if both {
			foo.gets([]byte(key), ws.OpText)
		}
		if both || key == "/foo/bar" {
			below.gets([]byte(key), ws.OpText)
		}
	}
	large := []byte(strings.Repeat("x", 1<<20))
	h.publish("/foo", large)
	foo.gets(large, ws.OpText)
	below.gets(large, ws.OpText)
}

// Who has the token quiesces the bridge, which says so to all but those without a signature.
func TestAQuiescedBridgeSaysSo(t *testing.T) {
	h := newHarness(t, func(*bridge.Config, *Config) {}, func(host *dialect.Host) {
		host.Drain = func() {} // the bridge takes its time
	})
	foo := h.connect("/foo?m="+signedFoo, nil)
	h.told()
	fields := map[string]string{"Authorization": "basic " + adminToken}
	if status, body := h.request("POST", "/quiesce", fields); status != 200 || !sameJSON(body, `{"remaining": 1}`) {
		t.Fatalf("it is answered with %d %s", status, body)
	}
	for _, request := range []string{"GET /health", "POST /quiesce", "GET /foo"} {
		method, path, _ := strings.Cut(request, " ")
		if status, body := h.request(method, path, fields); status != 410 || !sameJSON(body, `{"status": "quiesced", "connections": 1}`) {
			t.Errorf("%s is answered with %d %s", request, status, body)
		}
	}
	if late := h.connect("/foo?m="+signedFoo, nil); late.answer.StatusCode != 101 || late.closed() != goingAway {
		t.Errorf("a late client is answered with %s", late.answer.Status)
	}
	if late := h.connect("/foo?m=bad", nil); late.answer.StatusCode != 403 {
		t.Errorf("a client without a signature is answered with %s", late.answer.Status)
	}
	h.publish("/foo", []byte("still served"))
	foo.gets([]byte("still served"), ws.OpText)
}

// Once its time to serve on is over, a quiesced bridge closes its clients, and tells of each that it has left.
func TestAQuiescedBridgeClosesItsClients(t *testing.T) {
	h := newHarness(t, func(b *bridge.Config, _ *Config) { b.Drain = bridge.Drain{Timeout: time.Minute} })
	pages := []*page{h.connect("/foo?m="+signedFoo, nil), h.connect("/foo/bar?m="+signedFooBar, nil)}
	h.told()
	h.told()
	h.request("POST", "/quiesce", map[string]string{"Authorization": "Basic " + adminToken})
	left := map[string]int{}
	for _, p := range pages {
		if code := p.closed(); code != goingAway {
			t.Errorf("a client was closed with %d", code)
		}
		p.conn.Close()
	}
	for range pages {
		key, body := h.told()
		left[key+body]++
	}
	if left[`websocket.disconnect{"namespace":"/foo"}`] != 1 || left[`websocket.disconnect{"namespace":"/foo/bar"}`] != 1 {
		t.Errorf("the status exchange got %v", left)
	}
	if err := testkit.Await(t, h.ended); err != nil {
		t.Error(err)
	}
}

// Without a token in the configuration nobody may quiesce the bridge.
func TestNobodyQuiescesABridgeWithoutAToken(t *testing.T) {
	h := newHarness(t, func(_ *bridge.Config, c *Config) { c.AdminToken = "" })
	for _, field := range []string{"", "Basic", "Basic ", "Basic " + adminToken} {
		if status, body := h.request("POST", "/quiesce", map[string]string{"Authorization": field}); status != 404 || !strings.Contains(body, "admin-token") {
			t.Errorf("%q: it is answered with %d %s", field, status, body)
		}
	}
}

// What the status exchange has not got is said in the log, and not sent late.
func TestALostStatusMessageIsNoted(t *testing.T) {
	for confirmed, want := range map[bool]int{true: 0, false: 1} {
		s := &service{failures: limitedlog.New(slog.New(slog.DiscardHandler), "lost")}
		sent := 0
		s.publish = func(_ string, _ []byte, done func(bool)) { sent++; done(confirmed) }
		(&client{service: s, name: "/foo"}).tell("websocket.disconnect")
		if n := s.failures.Counts()["websocket.disconnect"]; n != want || sent != 1 {
			t.Errorf("confirmed %v: %d are noted, %d were sent", confirmed, n, sent)
		}
	}
}

// A dialect below a path leaves all others to the bridge, and its rooms may be elsewhere.
func TestADialectMayBeBelowAPath(t *testing.T) {
	secrets := filepath.Join(t.TempDir(), "secrets.json")
	if err := os.WriteFile(secrets, []byte(secretsFile), 0o600); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[dialect.Place]string{
		{Path: "/", Rooms: "/"}:         "/live/x",
		{Path: "/live", Rooms: "/live"}: "/live/x",
		{Path: "/live/", Rooms: "/r"}:   "/r/x",
		{Path: "/live", Rooms: "/"}:     "/x",
	} {
		made, err := New(&Config{Secrets: secrets}, at, dialect.Host{NewLog: func() *engine.Log { return nil }, Draining: func() bool { return false }, Logger: slog.New(slog.DiscardHandler), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		s := made.(*service)
		if got := s.room("/live/x"); got != want {
			t.Errorf("%+v: the room of /live/x is %s, want %s", at, got, want)
		}
		for pattern := range s.Routes() {
			if _, path, _ := strings.Cut(pattern, " "); !strings.HasPrefix(path, at.Path) {
				t.Errorf("%+v: it answers %s", at, pattern)
			}
		}
	}
}

// What is wrong with a configuration is said with its place, and without a secret.
func TestWhatIsWrongWithAConfigurationIsSaid(t *testing.T) {
	dir := t.TempDir()
	empty, other := filepath.Join(dir, "empty"), filepath.Join(dir, "other.json")
	for file, text := range map[string]string{empty: "\n", other: `{"secrets": {"other": {"type": "versioned", "current": "hush"}}}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := New(&Config{Secrets: other, AdminToken: "file:" + empty, StatusExchange: "x"}, dialect.Place{}, dialect.Host{
		NewPublisher: func(string) (dialect.Publish, error) { return nil, errors.New("is refused") }})
	if _, missing := New(&Config{}, dialect.Place{}, dialect.Host{}); missing == nil || !strings.Contains(missing.Error(), "secrets names no file") {
		t.Errorf("without secrets the error is %v", missing)
	}
	for _, want := range []string{`secrets the file has no secret "secret/websockets/authorization_key"`, "admin-token names an empty file", "status-exchange is refused"} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("the error is %v, want %s", err, want)
		}
	}
}

// Only namespaces are bounded, not the clients of one.
func TestTheNamespacesAreBounded(t *testing.T) {
	s := newNamespaces(newLog(t))
	first := s.join("/0")
	for i := 1; i < maxNamespaces; i++ {
		s.join(fmt.Sprint("/", i))
	}
	if !s.full("/more") || s.full("/0") || s.join("/more") != nil || s.join("/0") != first {
		t.Errorf("of %d namespaces there are %d", maxNamespaces, len(s.byPath))
	}
	s.leave(first)
	s.leave(first)
	if s.full("/more") || s.clients() != maxNamespaces-1 || len(s.index.At("/0")) != 0 {
		t.Error("a namespace without clients has a place")
	}
}

// A backend that signs with baseplate opens its namespaces.
func TestWhatBaseplateSignsIsOpened(t *testing.T) {
	h := newHarness(t, func(*bridge.Config, *Config) {})
	secrets := filepath.Join(t.TempDir(), "secrets.json")
	file := strings.Replace(secretsFile, `"current"`, `"encoding": "identity", "current"`, 1)
	if err := os.WriteFile(secrets, []byte(strings.TrimSuffix(file, "}")+`, "vault": {"url": "", "token": ""}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	m := testkit.BaseplateSign(t, secrets, usualSecret, "/live/é ü", "600")
	p := h.connect("/live/%C3%A9%20%C3%BC?m="+url.QueryEscape(m), nil)
	if key, body := h.told(); p.answer.StatusCode != 101 || key != "websocket.connect" || !sameJSON(body, `{"namespace": "/live/é ü"}`) {
		t.Fatalf("it is answered with %s, and the status exchange got %s %s", p.answer.Status, key, body)
	}
	h.publish("/live/é ü", []byte("hello"))
	p.gets([]byte("hello"), ws.OpText)
}

// newLog returns a function that makes logs of an engine.
func newLog(t *testing.T) (made func() *engine.Log) {
	t.Helper()
	newHarness(t, func(*bridge.Config, *Config) {}, func(host *dialect.Host) { made = host.NewLog })
	return made
}
