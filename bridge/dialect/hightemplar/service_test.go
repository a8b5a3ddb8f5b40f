package hightemplar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestWithoutAnAnswerOfTheBackendNobodyConnects(t *testing.T) {
	t.Parallel()
	h := newEmbedded(t, func(*Config) {})
	for _, says := range []reply{
		{Status: 0},
		{Status: 200, Body: `[]`},
		{Status: 200, Body: `null`},
		{Status: 200, Body: `{"allowed_rooms": {}}`},
		{Status: 200, Body: `{"allowed_rooms": [1]}`},
		{Status: 200, Body: `{"allowed_rooms": [{"a": "\ud800"}]}`},
		{Status: 200, Body: `{"allowed_rooms": [`},
		{Status: 200, Body: `{"a": "` + strings.Repeat("a", maxAnswer) + `"}`},
		{Status: 302, Headers: map[string]string{"Location": "ftp://example.org/"}},
	} {
		h.service.backend.client.CloseIdleConnections() // a request on one that is cut is sent again
		p := h.connect(t, "/ws/", nil)
		h.api.next(t, "GET /api/bootstrap/").answer <- says
		if got := p.status(); got != http.StatusInternalServerError {
			t.Errorf("%d %.80s: the client is answered with %d", says.Status, says.Body, got)
		}
	}
	h.join(t, `{"zoo": 1}`).asks("ping", "pong")
}

func TestABackendThatNeverAnswersIsGivenUp(t *testing.T) {
	t.Parallel()
	server, channel := newBroker(t)
	a := newAPI(t)
	h := startHarness(t, a, channel, Config{APIURL: a.URL + "/api/", Timeout: time.Millisecond}, "amqp://guest:guest@localhost/", server.Dial)
	if got := h.connect(t, "/ws/", nil).status(); got != http.StatusInternalServerError {
		t.Errorf("the client is answered with %d", got)
	}
}

func TestAHeaderFieldForTheBackendMustBeOne(t *testing.T) {
	t.Parallel()
	h := newEmbedded(t, func(*Config) {})
	for _, target := range []string{"/ws/?token=a%0d%0aX-Real-IP:%20192.0.2.1", "/ws/?token=" + strings.Repeat("a", 8000) + "%00"} {
		if got := h.connect(t, target, nil).status(); got != http.StatusBadRequest && got != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%.60s: the client is answered with %d", target, got)
		}
	}
	if got := h.connect(t, "/ws/below", nil).status(); got != http.StatusNotFound {
		t.Errorf("below the path the client is answered with %d", got)
	}
	if len(h.api.calls) > 0 {
		t.Error("the backend was asked")
	}
}

func TestWhatTheBackendIsTold(t *testing.T) {
	t.Parallel()
	h := newEmbedded(t, func(c *Config) {
		c.ConnectionHeaders = map[string]Header{"Host": {Fixed: "app.example"}, "authorization": {Header: "Authorization"}, "X-CSRFToken": {Param: "csrf"}}
	})
	for target, want := range map[string]http.Header{
		"/ws/?token=a&csrf=b": {"Host": {"app.example"}, "Cookie": {"csrftoken=c"}, "X-Csrftoken": {"b"}},
		"/ws/?token=a":        {"Host": {"app.example"}, "Cookie": {"csrftoken=c"}, "X-Csrftoken": {"c"}},
	} {
		p := h.connect(t, target, map[string]string{"Cookie": "csrftoken=c", "Connection": "upgrade, x-real-ip"})
		first := h.api.next(t, "GET /api/bootstrap/")
		first.answer <- reply{Status: http.StatusFound, Headers: map[string]string{"Location": "/api/login/"}}
		second := h.api.next(t, "GET /api/login/")
		_, port, _ := net.SplitHostPort(strings.TrimPrefix(h.api.URL, "http://"))
		second.answer <- reply{Status: http.StatusFound, Headers: map[string]string{"Location": "http://localhost:" + port + "/other/"}}
		other := h.api.next(t, "GET /other/")
		other.answer <- reply{Status: http.StatusOK, Body: `{"Allowed_Rooms": [{"a": 1}], "allowed_rooms": [], "ALLOWED_ROOMS": 1}`}
		p.gets(`{"is_authorized": true, "allowed_rooms": []}`)
		for _, c := range []*call{first, second} {
			for _, name := range []string{"Host", "Cookie", "X-Csrftoken", "Authorization"} {
				if !slices.Equal(c.header[name], want[name]) {
					t.Errorf("%s: %s has %s %q, want %q", target, c.what, name, c.header[name], want[name])
				}
			}
		}
		if other.header["Cookie"] != nil || other.header["X-Csrftoken"] != nil || other.header.Get("Host") != "localhost:"+port {
			t.Errorf("another host gets %v", other.header)
		}
	}
}

// What a client sends before the backend has answered is handled after the greeting, in its order.
func TestAClientNeedNotWaitForTheGreeting(t *testing.T) {
	t.Parallel()
	h := newEmbedded(t, func(*Config) {})
	p := h.connect(t, "/ws/", nil)
	asked := h.api.next(t, "GET /api/bootstrap/")
	for _, message := range []string{`{"type": "subscribe", "room": {"zoo": 1}, "requestId": 1}`, "ping", `{"type": "unsubscribe", "requestId": 1}`, "ping"} {
		p.says(message)
	}
	asked.answer <- reply{Status: http.StatusOK, Body: `{"allowed_rooms": [{"zoo": 1}]}`, Headers: map[string]string{"Content-Type": "Application/JSON; charset"}}
	for _, want := range []string{`{"is_authorized": true, "allowed_rooms": [{"zoo": 1}]}`, `{"code": "success"}`, "pong", `{"code": "success"}`, "pong"} {
		p.gets(want)
	}
}

// That a client goes is not its backend's failure.
func TestAClientThatDoesNotWaitIsNoFailure(t *testing.T) {
	t.Parallel()
	h := newEmbedded(t, func(*Config) {})
	p := h.connect(t, "/ws/", nil)
	asked := h.api.next(t, "GET /api/bootstrap/")
	p.conn.Close()
	testkit.WaitUntil(t, "the backend is asked on", func() bool { return len(h.service.asking) == 0 })
	asked.answer <- reply{Status: http.StatusOK, Body: `{}`}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := h.service.decide(gone, http.Header{}, "")(); err == nil {
		t.Error("a client that is gone is accepted")
	}
	if n := h.service.failures.Counts()["bootstrap"]; n != 0 {
		t.Errorf("%d failures are noted", n)
	}
}

// Long messages are shared by subscriptions, in fragments, and keep their places among short ones.
func TestALongMessageIsWhole(t *testing.T) {
	t.Parallel()
	h := newEmbedded(t, func(*Config) {})
	pages := []*page{h.join(t, `{"zoo": "*"}`), h.join(t, `{"zoo": "*"}`)}
	for i, p := range pages {
		p.asks(fmt.Sprintf(`{"type": "subscribe", "room": {"zoo": 1}, "requestId": %d}`, i), `{"code": "success"}`)
	}
	long := `"` + strings.Repeat("é", 1<<19) + `"`
	want := []string{`1`, long, `{"a": 2}`, `"` + strings.Repeat("b", shareFrom) + `"`, `3`}
	for _, data := range want {
		h.publish(t, "*", `{"rooms": [{"zoo": 1}], "data": `+data+`}`)
	}
	for i, p := range pages {
		for _, data := range want {
			p.gets(fmt.Sprintf(`{"type": "publish", "data": %s, "requestId": %d}`, data, i))
		}
	}
}

// Another source may have rooms of the same paths.
func TestAMessageOfAnotherFormatIsForNobody(t *testing.T) {
	t.Parallel()
	h := newEmbedded(t, func(*Config) {})
	p := h.join(t, `{"zoo": 1}`)
	p.asks(`{"type": "subscribe", "room": {"zoo": 1}, "requestId": 1}`, `{"code": "success"}`)
	for _, body := range []string{"1", `1, "requestId": 2`, "\xff"} {
		h.service.Deliver(&rooms.Message{Path: "/ws/zoo=1", Format: rooms.FormatRaw, Frame: rooms.Frame([]byte(body)), Body: []byte(body), Whole: []byte(body)})
	}
	h.publish(t, "*", `{"rooms": [{"zoo": 1}], "data": 3}`)
	p.gets(`{"type": "publish", "data": 3, "requestId": 1}`)
}

func TestAClientHasABoundedNumberOfSubscriptions(t *testing.T) {
	t.Parallel()
	h := newEmbedded(t, func(c *Config) { c.MaxSubscriptions = 2 })
	p := h.join(t, `{"zoo": "*"}`)
	subscribe := func(zoo int, id, want string) {
		t.Helper()
		p.asks(fmt.Sprintf(`{"type": "subscribe", "room": {"zoo": %d}, "requestId": %s}`, zoo, id), want)
	}
	const ok, full = `{"code": "success"}`, `{"code": "error", "message": "too-many-subscriptions"}`
	subscribe(1, `"a"`, ok)
	subscribe(1, `1`, ok)
	subscribe(1, `true`, ok) // it is 1
	subscribe(2, `"a"`, full)
	for length, want := range map[int]string{maxRoom: full, maxRoom + 1: `{"code": "error", "message": "room-not-found"}`} {
		room := `{"zoo": "` + strings.Repeat("a", length-len(`{"zoo": ""}`)) + `"}`
		p.asks(`{"type": "subscribe", "room": `+room+`, "requestId": 1}`, want)
	}
	subscribe(2, `"`+strings.Repeat("a", maxRequestID)+`"`, `{"code": "error", "message": "request-id-too-long"}`)
	p.asks(`{"type": "unsubscribe", "requestId": 1.0}`, ok)
	p.asks(`{"type": "unsubscribe", "requestId": {}}`, `{"code": "error", "message": "not-subscribed"}`)
	subscribe(2, `null`, ok)
	p.leave()
	testkit.WaitUntil(t, "a room is not forgotten", func() bool { return h.service.hub.len() == 0 && h.service.counts.connections.Load() == 0 })
}

func TestCallbacksOfAClientComeInTheirOrder(t *testing.T) {
	t.Parallel()
	h := newEmbedded(t, func(c *Config) { *c = installed(c.APIURL) })
	const online, offline = "POST /api/user/notify_online/", "POST /api/user/notify_offline/"
	p := h.connect(t, "/ws/?session_token=s", nil)
	h.api.allow(t, "")
	p.gets(`{"is_authorized": true, "allowed_rooms": []}`)
	first := h.api.next(t, online)
	for range 100 {
		p.asks("ping", "pong") // it does not wait for the callback
	}
	p.leave()
	if first.header.Get("X-Session-Token") != "s" || len(h.api.calls) > 0 {
		t.Fatalf("the backend got %v and %d more", first.header, len(h.api.calls))
	}
	first.answer <- reply{Status: http.StatusInternalServerError}
	h.api.next(t, online).answer <- reply{Status: 0}
	last := h.api.next(t, offline)
	ended := make(chan struct{})
	go func() {
		h.stop() // it waits for the callback
		close(ended)
	}()
	last.answer <- reply{Status: http.StatusOK}
	testkit.Await(t, ended)
	if len(h.api.calls) > 0 {
		t.Error("the backend got more")
	}
}

// A backend that hangs costs a bounded amount of memory.
func TestCallbacksThatAreTooManyAreDropped(t *testing.T) {
	t.Parallel()
	const online = "POST /api/user/notify_online/"
	h := newEmbedded(t, func(c *Config) { *c = installed(c.APIURL); c.MaxConcurrent = 1 })
	idle := func() bool { return h.service.callbacks.Running() == 0 }
	testkit.WaitUntil(t, "the callbacks of others do not end", idle)
	h.service.callbacks.MaxWaiting = 0
	join := func() *page {
		p := h.connect(t, "/ws/", nil)
		h.api.allow(t, "")
		p.gets(`{"is_authorized": true, "allowed_rooms": []}`)
		return p
	}
	first := join()
	hanging := h.api.next(t, online)
	dropped := join()
	if n := h.service.failures.Counts()["too many callbacks wait"]; n != 1 {
		t.Errorf("%d callbacks were dropped", n)
	}
	hanging.answer <- reply{Status: http.StatusOK}
	testkit.WaitUntil(t, "the callback does not end", idle)
	dropped.asks("ping", "pong")
	h.api.next(t, online).answer <- reply{Status: http.StatusOK}
	for _, p := range []*page{first, dropped} {
		testkit.WaitUntil(t, "the callback does not end", idle)
		h.leave(p)
	}
}

func TestClientsAreToldThatTheBridgeEnds(t *testing.T) {
	t.Parallel()
	h := newEmbedded(t, func(*Config) {})
	p := h.join(t, `{"zoo": 1}`)
	p.asks(`{"type": "subscribe", "room": {"zoo": 1}, "requestId": 1}`, `{"code": "success"}`)
	ended := make(chan struct{})
	go func() {
		h.stop()
		close(ended)
	}()
	if got := p.closed(); got != int(ws.StatusGoingAway) {
		t.Errorf("the client is closed with %d", got)
	}
	p.conn.Close()
	testkit.Await(t, ended)
	if n := h.service.counts.connections.Load(); n != 0 || h.service.hub.len() != 0 {
		t.Errorf("there are %d clients and %d rooms", n, h.service.hub.len())
	}
}

func TestWhatAGrantAllows(t *testing.T) {
	for allowed, cases := range map[string]map[string]bool{
		`{"zoo": 1}`:                             {`{"zoo": 1}`: true, `{"zoo": true}`: true, `{"zoo": 1.0}`: true, `{"zoo": 10e-1}`: true, `{"zoo": "1"}`: false, `{"zoo": "*"}`: false, `{}`: false, `{"zoo": 1, "a": 1}`: false, `{"zoo": 2, "zoo": 1}`: true},
		`{"a": "*", "b": 2}`:                     {`{"b": 2, "a": 1}`: true, `{"a": "*", "b": 2}`: true, `{"a": null, "b": 2}`: true, `{"a": 1, "b": "*"}`: false, `{"a": 2, "b": 1}`: false},
		`{"a": 1, "b": "*"}, {"a": "*", "b": 2}`: {`{"a": 1, "b": 7}`: true, `{"a": 7, "b": 2}`: true, `{"a": 7, "b": 7}`: false},
		`{"a": "*", "b": "*"}`:                   {`{"a": [1], "b": {}}`: true, `{"a": 1}`: false},
		`{"a": [1, {"b": false}]}`:               {`{"a": [true, {"b": 0.0}]}`: true, `{"a": [1, {"b": "0"}]}`: false, `{"a": ["1", {"b": 0}]}`: false},
		`{"a": 9007199254740993}`:                {`{"a": 9007199254740993}`: true, `{"a": 9007199254740992.0}`: false, `{"a": 9007199254740992}`: false},
		`{"a": 9007199254740992}`:                {`{"a": 9007199254740993.0}`: true}, // it is the same number of 64 bits
		`{"a": "x", "b": "yz"}`:                  {`{"a": "xy", "b": "z"}`: false, `{"a": "x", "b": "yz"}`: true, `{"a": "\u0078", "b": "yz"}`: true},
		`{"a\"b": 1}`:                            {`{"a\u0022b": 1}`: true, `{"a": 1, "b": 1}`: false},
		``:                                       {`{}`: false, `{"a": 1}`: false},
		`{}`:                                     {`{}`: true},
		`{"a": 0}, {"a": 1e400}, {"a": "\u0000"}`: {`{"a": -0.0}`: true, `{"a": false}`: true, `{"a": null}`: false, `{"a": 2e999}`: true, `{"a": ""}`: false},
	} {
		var list []json.RawMessage
		if err := json.Unmarshal([]byte("["+allowed+"]"), &list); err != nil {
			t.Fatal(err)
		}
		g, distinct, err := newGrants(list)
		if err != nil || len(distinct) != len(list) {
			t.Fatalf("%s: %d, %v", allowed, len(distinct), err)
		}
		for text, want := range cases {
			r, err := parseRoom([]byte(text))
			if err != nil || g.allow(r) != want {
				t.Errorf("%s is allowed %s: %v, %v", text, allowed, g.allow(r), err)
			}
		}
	}
}

func TestAConfigurationHasToMakeSense(t *testing.T) {
	place := dialect.Place{Path: "/ws/", Rooms: "/ws"}
	host := dialect.Host{Now: time.Now}
	const api = "http://127.0.0.1:8000/api/"
	for want, cfg := range map[string]Config{
		"":                                      {APIURL: api, ConnectionHeaders: map[string]Header{"X-A": {Param: "a", Format: "A {}"}}},
		"api-url is missing":                    {},
		"api-url is no URL":                     {APIURL: "127.0.0.1:8000/api/"},
		"api-url must end":                      {APIURL: "http://127.0.0.1:8000/api"},
		"api-url must begin":                    {APIURL: "https://h/api/", APISocket: "/run/s"},
		"api-socket must be":                    {APIURL: api, APISocket: "s"},
		"notify-online must be a path":          {APIURL: api, NotifyOnline: "/user/"},
		"max-concurrent and":                    {APIURL: api, MaxSubscriptions: -1},
		"timeout must be more":                  {APIURL: api, Timeout: -1},
		"timeout must be":                       {APIURL: api, Timeout: maxTimeout},
		"connection-headers.Connection is a":    {APIURL: api, ConnectionHeaders: map[string]Header{"Connection": {Fixed: "close"}}},
		"connection-headers.":                   {APIURL: api, ConnectionHeaders: map[string]Header{"X-A": {Fixed: "a"}, "x-a": {Fixed: "b"}}},
		"connection-headers.X A is not":         {APIURL: api, ConnectionHeaders: map[string]Header{"X A": {Param: "a"}}},
		"connection-headers.X-A has 0":          {APIURL: api, ConnectionHeaders: map[string]Header{"X-A": {}}},
		"connection-headers.X-A has 2":          {APIURL: api, ConnectionHeaders: map[string]Header{"X-A": {Param: "a", Fixed: "b"}}},
		"connection-headers.X-A has a control":  {APIURL: api, ConnectionHeaders: map[string]Header{"X-A": {Fixed: "a\r\nb"}}},
		"connection-headers.X-A.format has no ": {APIURL: api, ConnectionHeaders: map[string]Header{"X-A": {Param: "a", Format: "A"}}},
	} {
		_, err := New(&cfg, place, host)
		wrong, placed := errors.AsType[*dialect.PathError](err)
		if want == "" && err != nil || want != "" && (!placed || !strings.HasPrefix(wrong.Error(), want)) {
			t.Errorf("%+v: %v, want %s", cfg, err, want)
		}
	}
}
