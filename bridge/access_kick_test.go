package bridge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// kick posts a request as a name.
func (h *accessHarness) kick(name, body string) (status int, answer map[string]any) {
	h.t.Helper()
	r := httptest.NewRequest("POST", "/api/kick", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if name != "" {
		r.Header.Set("Authorization", "Bearer "+h.tokens[name])
	}
	w := httptest.NewRecorder()
	h.Admin().ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		h.t.Fatalf("%s: %v", w.Body, err)
	}
	return w.Code, answer
}

func TestAnOperatorClosesClientsAndKeepsThemOut(t *testing.T) {
	h := newAccessHarness(t)
	ana, hello := h.v1("ana")
	again := h.open("/", h.bearer("ana"))
	eve, _ := h.v1("eve")
	for _, name := range []string{"ana", "eve", ""} {
		if status, _ := h.kick(name, `{"name": "eve"}`); status != 403 && status != 401 {
			t.Errorf("%q may close others: %d", name, status)
		}
	}
	if status, m := h.kick("eng", fmt.Sprintf(`{"client": %q}`, hello["session"])); status != 200 || m["closed"] != 1.0 {
		t.Errorf("closing a client is answered with %d, %v", status, m)
	}
	if code, _ := closes(t, ana); code != 3003 {
		t.Errorf("it is closed with %d", code)
	}
	if status, m := h.kick("eng", `{"name": "ana", "block": "10m"}`); status != 200 || m["closed"] != 1.0 {
		t.Errorf("closing a name is answered with %d, %v", status, m)
	}
	if code, _ := closes(t, again); code != 3003 {
		t.Errorf("it is closed with %d", code)
	}
	if status, reason := h.status("/", h.bearer("ana")); status != 403 || !strings.Contains(reason, "10m0s") {
		t.Errorf("a blocked name gets %d, %q", status, reason)
	}
	late := h.open("/", nil)
	next(t, late)
	late.Send(fmt.Sprintf(`{"op": "auth", "token": %q}`, h.tokens["ana"]))
	if code, _ := closes(t, late); code != 3003 {
		t.Errorf("a blocked name that says so later is closed with %d", code)
	}
	eve.Send(`{"op": "ping"}`)
	if m := next(t, eve); m["op"] != "pong" {
		t.Errorf("another client gets %v", m)
	}
	h.pass(10 * time.Minute)
	if status, _ := h.status("/", h.bearer("ana")); status != 101 {
		t.Errorf("after the block it gets %d", status)
	}
}

func TestAKickSaysWhatIsWrongWithIt(t *testing.T) {
	h := newAccessHarness(t, func(c *access.Config) { c.Anonymous = "viewer" })
	anonymous := h.open("/", nil, Subprotocol)
	session := next(t, anonymous)["session"]
	for _, body := range []string{`{}`, `{"name": ""}`, `{"name": 1}`, `{"name": "a", "id": "b"}`, `{"name": "a", "block": "x"}`, `{"name": "a", "block": "-1s"}`,
		`{"name": "a", "block": "25h"}`, `{"name": "a", "block": 10}`, `{"nobody": "a"}`, fmt.Sprintf(`{"client": %q, "block": "1m"}`, session)} {
		if status, m := h.kick("eng", body); status != http.StatusBadRequest || m["error"] == "" {
			t.Errorf("%s is answered with %d, %v", body, status, m)
		}
	}
	if status, m := h.kick("eng", fmt.Sprintf(`{"client": %q}`, session)); status != 200 || m["closed"] != 1.0 {
		t.Errorf("closing an anonymous client is answered with %d, %v", status, m)
	}
	closes(t, anonymous)
}

func TestWithoutAccessControlAnOperatorClosesAClientByItsSession(t *testing.T) {
	h := newHarness(t)
	c := testkit.DialWebSocketWith(t, ws.Dialer{Protocols: []string{Subprotocol}}, "ws://"+h.addr+"/")
	session := next(t, c)["session"]
	if status, m := h.post("/api/kick", `{"name": "ana", "block": "1m"}`); status != 400 {
		t.Errorf("a block is answered with %d, %v", status, m)
	}
	if status, m := h.post("/api/kick", `{"name": "ana"}`); status != 200 || m["closed"] != 0.0 {
		t.Errorf("a name is answered with %d, %v", status, m)
	}
	if status, m := h.post("/api/kick", fmt.Sprintf(`{"client": %q}`, session)); status != 200 || m["closed"] != 1.0 {
		t.Errorf("a session is answered with %d, %v", status, m)
	}
	if code, _ := closes(t, c); code != 3003 {
		t.Errorf("it is closed with %d", code)
	}
	if err := h.Reload(Reload{Access: &access.Config{}}); err == nil {
		t.Error("access control begins while clients are connected")
	}
	if err := h.Reload(Reload{Origins: []string{"https://console.example"}}); err != nil {
		t.Error(err)
	}
}

func TestABlockOfAnAbsentUserIsRecorded(t *testing.T) {
	h := newAccessHarness(t)
	var rows logBuffer
	record, err := audit.Open(audit.Config{Target: audit.Stdout, Stdout: &rows})
	if err != nil {
		t.Fatal(err)
	}
	h.cfg.Audit = record
	for _, body := range []string{`{"name": "ana"}`, `{"name": "ana", "block": "10m"}`} {
		if status, m := h.kick("eng", body); status != 200 || m["closed"] != 0.0 {
			t.Errorf("%s is answered with %d, %v", body, status, m)
		}
	}
	if err := record.Close(testkit.Patience); err != nil {
		t.Fatal(err)
	}
	want := `"event":"kicked","name":"ana","code":"kicked","by":"eng","block":"10m0s"}`
	if text := rows.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, want) {
		t.Errorf("the record is %s, want %s", text, want)
	}
}
