package bridge

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The principals of the table, in the order of its columns: nobody, a viewer, an observer of the
// dome and an engineer.
var doorPrincipals = []string{"", "eve", "ana", "eng"}

// outcomes are what each of them gets, in that order.
type outcomes [4]string

// newDoorHarness returns a bridge on which each of the principals may do something else. There is
// no broker: what may be done fails as away.
func newDoorHarness(t *testing.T) *accessHarness {
	h := newAccessHarness(t, func(c *access.Config) {
		c.Roles["engineer"] = json.RawMessage(`{"hear": [{}], "rooms": ["/**"], "publish": ["/live/**"], "command": [{}], "forbid": [{"verb": "shutdown"}], "clients": true, "admin": true}`)
	})
	h.says(filter.Reply{Sender: "dome", Code: "i"}, 0)
	h.says(filter.Reply{Sender: "mirror", Code: "i"}, 0)
	for _, actor := range []string{"dome", "mirror"} { // they have problems that may be acknowledged
		h.saysAll(filter.Reply{Sender: actor, Code: "w"}, `{"text": "a warning"}`, 0)
	}
	return h
}

// opDoors are the requests of v1 clients, by op. What each principal gets is the op of the answer,
// or the code of an error. Nobody gets nothing: it cannot connect.
var opDoors = []struct {
	op, request string
	want        outcomes
}{
	{"auth", `{"op": "auth", "token": "nonsense"}`, outcomes{"unauthorized", "unauthorized", "unauthorized", "unauthorized"}},
	{"ping", `{"op": "ping"}`, outcomes{"unauthorized", "pong", "pong", "pong"}},
	{"subscribe", `{"op": "subscribe", "filter": {"sender": "mirror"}}`, outcomes{"unauthorized", "ok", "ok", "ok"}}, // it hears nothing; see hearing doors
	{"subscribe", `{"op": "subscribe", "rooms": ["/live/a"]}`, outcomes{"unauthorized", "forbidden", "ok", "ok"}},
	{"subscribe", `{"op": "subscribe", "rooms": ["/live/b"]}`, outcomes{"unauthorized", "forbidden", "forbidden", "ok"}},
	{"subscribe", `{"op": "subscribe", "rooms": ["/live/a", "/live/b"]}`, outcomes{"unauthorized", "forbidden", "forbidden", "ok"}},
	{"subscribe", `{"op": "subscribe", "rooms": ["/live"]}`, outcomes{"unauthorized", "forbidden", "forbidden", "ok"}},
	{"subscribe", `{"op": "subscribe", "rooms": ["/live/a"], "rooms": ["/live/b"]}`, outcomes{"unauthorized", "forbidden", "forbidden", "ok"}},
	{"unsubscribe", `{"op": "unsubscribe"}`, outcomes{"unauthorized", "bad_request", "bad_request", "bad_request"}}, // it has none
	{"snapshot", `{"op": "snapshot"}`, outcomes{"unauthorized", "snapshot", "snapshot", "snapshot"}},
	{"actors", `{"op": "actors"}`, outcomes{"unauthorized", "actors", "actors", "actors"}},
	{"history", `{"op": "history", "keywords": ["dome.x"]}`, outcomes{"unauthorized", "history", "history", "history"}}, // see TestAHistoryHasOnlyWhatAClientMayHear
	{"log", `{"op": "log", "before": 9}`, outcomes{"unauthorized", "log", "log", "log"}},                                // what it may hear; see hearing doors
	{"subscribe", `{"op": "subscribe", "notices": ["actors", "commands"]}`, outcomes{"unauthorized", "ok", "ok", "ok"}},
	{"commands", `{"op": "commands"}`, outcomes{"unauthorized", "commands", "commands", "commands"}}, // whose replies it may hear; see commands of everybody
	{"clients", `{"op": "clients"}`, outcomes{"unauthorized", "forbidden", "forbidden", "clients"}},
	{"model", `{"op": "model", "actor": "dome"}`, outcomes{"unauthorized", "model", "model", "model"}},
	{"model", `{"op": "model", "actor": "mirror"}`, outcomes{"unauthorized", "model", "forbidden", "model"}},
	{"model", `{"op": "model", "actor": "mirror.x", "refresh": true}`, outcomes{"unauthorized", "model", "forbidden", "model"}},
	{"command", `{"op": "command", "consumer": "dome", "command_string": "open"}`, outcomes{"unauthorized", "forbidden", "ok", "ok"}},
	{"command", `{"op": "command", "consumer": "mirror", "command_string": "open"}`, outcomes{"unauthorized", "forbidden", "forbidden", "ok"}},
	{"command", `{"op": "command", "consumer": "dome", "command_string": "shutdown"}`, outcomes{"unauthorized", "forbidden", "ok", "forbidden"}},
	{"command", `{"op": "command", "consumer": "dome", "consumer": "mirror", "command_string": "open"}`, outcomes{"unauthorized", "forbidden", "forbidden", "ok"}},
	{"problems", `{"op": "problems"}`, outcomes{"unauthorized", "problems", "problems", "problems"}},
	{"ack", `{"op": "ack", "actor": "dome", "seq": 9}`, outcomes{"unauthorized", "forbidden", "away", "away"}},
	{"ack", `{"op": "ack", "actor": "mirror", "seq": 9}`, outcomes{"unauthorized", "forbidden", "forbidden", "away"}},
	{"ack", `{"op": "ack", "actor": "dome", "actor": "mirror", "seq": 9}`, outcomes{"unauthorized", "forbidden", "forbidden", "away"}},
	{"site", `{"op": "site"}`, outcomes{"unauthorized", "site", "site", "site"}},
	{"publish", `{"op": "publish", "path": "/live/a", "body": 1}`, outcomes{"unauthorized", "forbidden", "forbidden", "away"}},
	{"publish", `{"op": "publish", "path": "/live/a", "path": "/live/b", "body": 1}`, outcomes{"unauthorized", "forbidden", "forbidden", "away"}},
}

func TestEveryOpAsksWhatAClientMay(t *testing.T) {
	h := newDoorHarness(t)
	known := map[string]bool{}
	for _, d := range opDoors {
		known[d.op] = true
		for i, who := range doorPrincipals {
			if got := h.askAs(who, d.request); got != d.want[i] {
				t.Errorf("%s: %q gets %s, want %s", d.request, who, got, d.want[i])
			}
		}
	}
	for op := range h.requests {
		if !known[op] {
			t.Errorf("the op %s has no row in the table of doors: who may use it?", op)
		}
	}
}

// connectAs connects as a principal, or as nobody.
func (h *accessHarness) connectAs(who string, protocols ...string) *testkit.WebSocket {
	h.t.Helper()
	var fields http.Header
	if who != "" {
		fields = h.bearer(who)
	}
	return h.open("/", fields, protocols...)
}

// askAs connects as a principal, sends a request, and returns the op of the answer or the code of
// the error.
func (h *accessHarness) askAs(who, request string) string {
	h.t.Helper()
	c := h.connectAs(who, Subprotocol)
	defer c.Close()
	if m := next(h.t, c); m["op"] != "hello" || (m["auth"] == "required") != (who == "") || who == "" && m["epoch"] != nil {
		h.t.Errorf("%q is greeted with %v", who, m)
	}
	c.Send(request)
	for {
		switch m := next(h.t, c); {
		case m["op"] == "error":
			return m["code"].(string)
		case m["op"] != nil:
			return m["op"].(string)
		}
	}
}

// messageDoors are what a client of CLU's protocol may send, and what it is told of it.
var messageDoors = []struct {
	message string
	want    outcomes
}{
	{`ping`, outcomes{"unauthorized", "pong", "pong", "pong"}},
	{`{"consumer": "dome", "command_string": "open"}`, outcomes{"unauthorized", "you may not send", "The command was not sent", "The command was not sent"}},
	{`{"consumer": "mirror", "command_string": "open"}`, outcomes{"unauthorized", "you may not send", "you may not send", "The command was not sent"}},
	{`{"consumer": "mirror.x", "command_string": "open"}`, outcomes{"unauthorized", "you may not send", "you may not send", "The command was not sent"}},
	{`{"consumer": "mirror.", "command_string": "open"}`, outcomes{"unauthorized", "you may not send", "you may not send", "The command was not sent"}},
	{`{"consumer": "mirror.#", "command_string": "open"}`, outcomes{"unauthorized", "you may not send", "you may not send", "The command was not sent"}},
	{`{"consumer": "dome", "command_string": "\"shut\"down"}`, outcomes{"unauthorized", "you may not send", "The command was not sent", "you may not send"}},
	{`{"consumer": "dome", "command_string": "open", "consumer": "mirror"}`, outcomes{"unauthorized", "you may not send", "you may not send", "The command was not sent"}},
	{`{"consumer": "dome", "command_string": "open", "command_string": "shutdown"}`, outcomes{"unauthorized", "you may not send", "The command was not sent", "you may not send"}},
	{`{"op": "clients"}`, outcomes{"unauthorized", `"hello"`, `"hello"`, `"hello"`}}, // it becomes a v1 client
}

func TestEveryMessageOfAPlainClientAsksWhatItMay(t *testing.T) {
	h := newDoorHarness(t)
	for _, d := range messageDoors {
		for i, who := range doorPrincipals {
			c := h.connectAs(who)
			if who == "" {
				c.Receive() // that it must say who it is
			}
			c.Send(d.message)
			if got := string(c.Receive()); !strings.Contains(got, d.want[i]) {
				t.Errorf("%s: %q gets %s, want %s", d.message, who, got, d.want[i])
			}
			c.Close()
		}
	}
}

// upgradeDoors are the paths at which a client may connect.
var upgradeDoors = []struct {
	path string
	want outcomes // status
}{
	{"/", outcomes{"101", "101", "101", "101"}},
	{"/any/other", outcomes{"101", "101", "101", "101"}},
	{"/?sender=mirror", outcomes{"101", "101", "101", "101"}},
	{"/live/a", outcomes{"401", "403", "101", "101"}},
	{"/live/a/", outcomes{"401", "403", "101", "101"}},
	{"/live/%61", outcomes{"401", "403", "101", "101"}},
	{"/live/b", outcomes{"401", "403", "403", "101"}},
	{"/live", outcomes{"401", "403", "403", "101"}},
	{"/live/a/../b", outcomes{"400", "400", "400", "400"}},
}

func TestEveryPathAsksWhoMayConnect(t *testing.T) {
	h := newDoorHarness(t)
	for _, d := range upgradeDoors {
		for i, who := range doorPrincipals {
			var fields http.Header
			if who != "" {
				fields = h.bearer(who)
			}
			if status, _ := h.status(d.path, fields); fmt.Sprint(status) != d.want[i] {
				t.Errorf("%s: %q gets %d, want %s", d.path, who, status, d.want[i])
			}
		}
	}
}

// httpDoors are the routes of both ports, by pattern. what is sent and the statuses.
var httpDoors = []struct {
	port, pattern string
	body          string
	want          outcomes
}{
	{"admin", "GET /metrics", "", outcomes{"200", "200", "200", "200"}},
	{"admin", "GET /metrics/keywords", "", outcomes{"401", "200", "200", "200"}}, // see TestTheExportHasOnlyWhatAClientMayHear
	{"admin", "GET /healthz", "", outcomes{"200", "200", "200", "200"}},
	{"admin", "GET /readyz", "", outcomes{"503", "503", "503", "503"}},
	{"admin", "GET /{$}", "", outcomes{"200", "200", "200", "200"}},
	{"admin", "/api/values", "", outcomes{"401", "200", "200", "200"}}, // what it may hear; see TestTheValuesAreThoseThatAClientMayHear
	{"admin", "POST /api/command", `{"consumer": "dome", "command_string": "open"}`, outcomes{"401", "403", "503", "503"}},
	{"admin", "POST /api/command", `{"consumer": "mirror", "command_string": "open"}`, outcomes{"401", "403", "403", "503"}},
	{"admin", "POST /api/command", `{"consumer": "dome", "consumer": "mirror", "command_string": "open"}`, outcomes{"401", "403", "403", "503"}},
	{"admin", "POST /api/publish", `{"path": "/live/a", "text": "x"}`, outcomes{"401", "403", "403", "503"}},
	{"admin", "POST /api/kick", `{"name": "nobody"}`, outcomes{"401", "403", "403", "200"}},
	{"admin", "/api/command", "", outcomes{"405", "405", "405", "405"}},
	{"admin", "/api/publish", "", outcomes{"405", "405", "405", "405"}},
	{"admin", "/api/kick", "", outcomes{"405", "405", "405", "405"}},
	{"admin", "/api/", "", outcomes{"404", "404", "404", "404"}},
	{"admin", "GET /debug/pprof/", "", outcomes{"401", "403", "403", "200"}},
	{"admin", "GET /debug/pprof/cmdline", "", outcomes{"401", "403", "403", "200"}},
	{"admin", "GET /debug/pprof/profile", "", outcomes{"401", "403", "403", "200"}},
	{"admin", "GET /debug/pprof/symbol", "", outcomes{"401", "403", "403", "200"}},
	{"admin", "GET /debug/pprof/trace", "", outcomes{"401", "403", "403", "200"}},
	{"clients", "GET /healthz", "", outcomes{"200", "200", "200", "200"}},
	{"clients", "GET /readyz", "", outcomes{"503", "503", "503", "503"}},
	{"clients", "GET /whoami", "", outcomes{"401", "200", "200", "200"}},
	{"clients", "OPTIONS /whoami", "", outcomes{"204", "204", "204", "204"}},
	{"clients", "GET /api/", "", outcomes{"404", "404", "404", "404"}}, // says where the API is
	{"clients", "GET /", "", outcomes{"200", "200", "200", "200"}},     // the page, on which one logs in
	{"clients", "/", "", outcomes{"426", "426", "426", "426"}},         // without a page
}

func TestEveryRouteAsksWhatASenderMay(t *testing.T) {
	h := newDoorHarness(t)
	page := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	ports := map[string][]*router{"admin": {h.adminRoutes()}, "clients": {h.clientRoutes(page), h.clientRoutes(nil)}}
	known := map[string]bool{}
	for _, d := range httpDoors {
		known[d.port+" "+d.pattern] = true
		at := slices.IndexFunc(ports[d.port], func(r *router) bool { return slices.Contains(r.patterns, d.pattern) })
		if at < 0 {
			t.Errorf("there is no route %s at the %s' port any more", d.pattern, d.port)
			continue
		}
		for i, who := range doorPrincipals {
			if got := h.requestAs(ports[d.port][at], who, d.pattern, d.body); fmt.Sprint(got.Code) != d.want[i] {
				t.Errorf("%s %s: %q gets %d %s, want %s", d.pattern, d.body, who, got.Code, got.Body, d.want[i])
			}
		}
	}
	for port, routers := range ports {
		for _, r := range routers {
			for _, pattern := range r.patterns {
				if !known[port+" "+pattern] {
					t.Errorf("the route %s of the %s' port has no row in the table of doors: who may use it?", pattern, port)
				}
			}
		}
	}
}

// requestAs sends a request to a route as a principal.
func (h *accessHarness) requestAs(to http.Handler, who, pattern, body string) *httptest.ResponseRecorder {
	method, path, found := strings.Cut(strings.TrimSuffix(pattern, "{$}"), " ")
	if !found {
		method, path = http.MethodGet, pattern
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	cancel() // a profile ends at once
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+h.tokens[who])
	}
	w := httptest.NewRecorder()
	to.ServeHTTP(w, r)
	return w
}

// A message that connects nothing with a decision would pass by the table.
func TestTheTableOfDoorsKnowsEveryKindOfMessage(t *testing.T) {
	h := newDoorHarness(t)
	c, _ := h.v1("eve")
	for _, message := range []string{`[]`, `null`, `1`, `{`, `{"op": 1}`, `{"op": "dance"}`, `{"op": "command"}`, "\x00"} {
		c.Send(message)
		if m := next(t, c); m["op"] != "error" || m["code"] != "bad_request" {
			t.Errorf("%q is answered with %v", message, m)
		}
	}
	if n := h.hub.Inflight.Len(); n != 0 {
		t.Errorf("%d commands are in flight", n)
	}
}
