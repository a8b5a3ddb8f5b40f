package bridge

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestAClientIsWarnedAndClosedWhenItsCredentialExpires(t *testing.T) {
	h := newAccessHarness(t, func(c *access.Config) { expireToken(c, "ana", 10*time.Minute) })
	c, hello := h.v1("ana")
	plain := h.open("/", h.bearer("ana"))
	room := h.open("/live/a", h.bearer("ana"))
	other, _ := h.v1("eve")
	if at := hello["access"].(map[string]any)["expires"]; at != "1970-01-01T00:10:00.000000+00:00" {
		t.Errorf("the hello says that it expires at %v", at)
	}
	h.awaitDeadlines(3)
	h.pass(9 * time.Minute)
	if m := next(t, c); m["op"] != "access" || m["expires_in"] != 60.0 {
		t.Errorf("it is warned with %v", m)
	}
	h.pass(time.Minute)
	for name, c := range map[string]*testkit.WebSocket{"v1": c, "plain": plain, "room": room} {
		if code, reason := closes(t, c); code != 3000 || !strings.Contains(reason, "expired") {
			t.Errorf("%s: closed with %d, %q", name, code, reason)
		}
	}
	other.Send(`{"op": "ping"}`)
	if m := next(t, other); m["op"] != "pong" {
		t.Errorf("another client gets %v", m)
	}
	if status, _ := h.status("/", h.bearer("ana")); status != 401 {
		t.Errorf("the expired token gets %d", status)
	}
}

// awaitDeadlines waits until so many connected clients have a deadline.
func (h *accessHarness) awaitDeadlines(n int) {
	h.t.Helper()
	testkit.Eventually(h.t, testkit.Patience, "deadlines of the clients", func() error {
		if got, _ := h.access.deadlines.Next(); got != n {
			return fmt.Errorf("%d clients have one, want %d", got, n)
		}
		return nil
	})
}

func TestACredentialIsRenewedOnTheOpenConnection(t *testing.T) {
	renewed, hash := access.NewToken()
	h := newAccessHarness(t, func(c *access.Config) {
		expireToken(c, "ana", 10*time.Minute)
		c.Tokens = append(c.Tokens, access.TokenConfig{Name: "ana", Hash: hash, Role: "observer", Expires: "1970-01-01T01:00:00Z"})
	})
	c, _ := h.v1("ana")
	h.awaitDeadlines(1)
	c.Send(`{"op": "auth", "id": "r", "token": "nonsense"}`)
	if m := next(t, c); m["op"] != "error" || m["code"] != "unauthorized" || m["id"] != "r" {
		t.Errorf("an invalid token is answered with %v", m)
	}
	c.Send(fmt.Sprintf(`{"op": "auth", "id": "r", "token": %q}`, h.tokens["eve"]))
	if m := next(t, c); m["op"] != "error" || m["code"] != "forbidden" {
		t.Errorf("the token of another name is answered with %v", m)
	}
	c.Send(fmt.Sprintf(`{"op": "auth", "id": "s", "token": %q}`, renewed))
	m := next(t, c)
	if info, _ := m["access"].(map[string]any); m["op"] != "ok" || m["id"] != "s" || info["expires"] != "1970-01-01T01:00:00.000000+00:00" {
		t.Errorf("the renewal is answered with %v", m)
	}
	h.pass(11 * time.Minute)
	c.Send(`{"op": "ping"}`)
	if m := next(t, c); m["op"] != "pong" {
		t.Errorf("after the first credential has expired it gets %v", m)
	}
}

func TestTheFirstMessageMaySayWhoAClientIs(t *testing.T) {
	h := newAccessHarness(t)
	for _, protocols := range [][]string{nil, {Subprotocol}} {
		c := h.open("/", nil, protocols...)
		if m := next(t, c); m["op"] != "hello" || m["auth"] != "required" || m["timeout_ms"] != 10000.0 || m["epoch"] != nil || m["name"] != nil {
			t.Errorf("it is asked with %v", m)
		}
		c.Send("ping")
		c.Send(`{"consumer": "dome", "command_string": "open"}`)
		c.Send(`{"op": "subscribe"}`)
		for range 3 {
			if m := next(t, c); m["op"] != "error" || m["code"] != "unauthorized" {
				t.Errorf("before it has said who it is, a message is answered with %v", m)
			}
		}
		h.from("dome", 0) // which it does not hear
		c.Send(fmt.Sprintf(`{"op": "auth", "id": "a", "token": %q}`, h.tokens["ana"]))
		if m := next(t, c); m["op"] != "hello" || m["access"] == nil || m["session"] == nil {
			t.Errorf("the session begins with %v", m)
		}
		if m := next(t, c); m["op"] != "ok" || m["id"] != "a" {
			t.Errorf("auth is answered with %v", m)
		}
		h.from("dome", 0)
		if m := next(t, c); m["seq"] == nil {
			t.Errorf("it hears %v", m)
		}
	}
}

func TestAClientThatDoesNotSayWhoItIsIsClosed(t *testing.T) {
	h := newAccessHarness(t)
	late := h.open("/", nil)
	h.awaitDeadlines(1)
	h.pass(10 * time.Second)
	if code, _ := closes(t, late); code != 3008 {
		t.Errorf("a late client is closed with %d", code)
	}
	wrong := h.open("/", nil)
	next(t, wrong)
	wrong.Send(`{"op": "auth", "token": "nonsense"}`)
	if m := next(t, wrong); m["code"] != "unauthorized" {
		t.Errorf("an invalid token is answered with %v", m)
	}
	if code, _ := closes(t, wrong); code != 3000 {
		t.Errorf("it is closed with %d", code)
	}
}

func TestAReloadPrunesOnlyThoseWhoLostSomething(t *testing.T) {
	h := newAccessHarness(t)
	ana, _ := h.v1("ana")
	eve, _ := h.v1("eve")
	eng, _ := h.v1("eng")
	plainEve, roomAna, roomEng := h.open("/", h.bearer("eve")), h.open("/live/a", h.bearer("ana")), h.open("/live/a", h.bearer("eng"))
	ana.Send(`{"op": "subscribe", "id": "r", "rooms": ["/live/a"]}`)
	nextOp(t, ana, "ok")
	h.reload(func(c *access.Config) {
		c.Roles["observer"] = json.RawMessage(`{"hear": [{"sender": "dome"}], "own": true}`)
		c.Revoked = []access.Revocation{{Name: "eve"}}
	})
	if m := next(t, ana); m["op"] != "access" || fmt.Sprint(m["changed"]) != "[command rooms]" || m["grants"] == nil {
		t.Errorf("the observer is told %v", m)
	}
	if m := next(t, ana); m["op"] != "unsubscribed" || m["id"] != "r" || m["code"] != "forbidden" {
		t.Errorf("of its subscription it is told %v", m)
	}
	if code, _ := closes(t, roomAna); code != 3003 {
		t.Errorf("the client of a room that is lost is closed with %d", code)
	}
	for name, c := range map[string]*testkit.WebSocket{"v1": eve, "plain": plainEve} {
		if code, reason := closes(t, c); code != 3003 || !strings.Contains(reason, "revoked") {
			t.Errorf("%s: a revoked client is closed with %d, %q", name, code, reason)
		}
	}
	roomEng.Send("x")
	eng.Send(`{"op": "ping"}`)
	if m := next(t, eng); m["op"] != "pong" {
		t.Errorf("a client that lost nothing gets %v", m)
	}
	if m := next(t, roomEng); m["error"] == nil {
		t.Errorf("a client of a room that lost nothing gets %v", m)
	}
}

func TestAReloadThatCannotBeUsedChangesNothing(t *testing.T) {
	h := newAccessHarness(t)
	c, _ := h.v1("ana")
	config := h.config
	config.Tokens = nil
	for _, r := range []Reload{
		{Access: nil},
		{Access: &config, Origins: []string{"nonsense"}},
		{Access: &config, TrustedProxies: []string{"nonsense"}},
		{Access: &access.Config{Anonymous: "nobody"}},
	} {
		if err := h.Reload(r); err == nil {
			t.Errorf("%+v is used", r)
		}
	}
	c.Send(`{"op": "ping"}`)
	if m := next(t, c); m["op"] != "pong" {
		t.Errorf("the client gets %v", m)
	}
	if status, _ := h.status("/", h.bearer("ana")); status != 101 {
		t.Errorf("its token gets %d", status)
	}
}

func TestAuthWithoutAccessControlIsExplained(t *testing.T) {
	h := newHarness(t)
	c := testkit.DialWebSocketWith(t, ws.Dialer{Protocols: []string{Subprotocol}}, "ws://"+h.addr+"/")
	next(t, c)
	c.Send(`{"op": "auth", "id": "a", "token": "t"}`)
	if m := next(t, c); m["code"] != "bad_request" || !strings.Contains(fmt.Sprint(m["message"]), "no access control") {
		t.Errorf("it is answered with %v", m)
	}
}

func TestTheAdminPortAsksForACredential(t *testing.T) {
	h := newAccessHarness(t)
	for _, c := range []struct {
		name, target, user, page string
		want                     int
	}{
		{"metrics stay open", "/metrics", "", "", 200},
		{"a profile without a credential", "/debug/pprof/cmdline", "", "", 401},
		{"a profile for a viewer", "/debug/pprof/cmdline", "eve", "", 403},
		{"a profile for an engineer", "/debug/pprof/cmdline", "eng", "", 200},
		{"a page of the host", "/debug/pprof/cmdline", "eng", "http://127.0.0.1:9877", 200},
		{"a foreign page with a token", "/debug/pprof/cmdline", "eng", "https://evil.example", 200},
		{"a foreign page without", "/debug/pprof/cmdline", "", "https://evil.example", 403},
		{"metrics for a foreign page", "/metrics", "", "https://evil.example", 403},
	} {
		r := httptest.NewRequest("GET", "http://127.0.0.1:9877"+c.target, nil)
		if c.user != "" {
			r.Header.Set("Authorization", "Bearer "+h.tokens[c.user])
		}
		if c.page != "" {
			r.Header.Set("Origin", c.page)
		}
		ctx := context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 9877})
		w := httptest.NewRecorder()
		h.Admin().ServeHTTP(w, r.WithContext(ctx))
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d: %s", c.name, w.Code, c.want, w.Body)
		}
	}
}
