package bridge

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Whoever occupies the places for slow decisions on the clients' port must not keep an operator from
// closing that client.
func TestOperatorsDoNotWaitBehindThePublic(t *testing.T) {
	h, app := newCallbackHarness(t)
	app.says(200, `{"status": "ok", "name": "ana", "grants": {"hear": [{}], "admin": true}}`)
	for range cap(h.Bridge.access.http) {
		h.Bridge.access.http <- struct{}{}
	}
	if resp, _ := h.request("GET", "/whoami?ticket=public", nil); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("with all places taken, a client gets %d", resp.StatusCode)
	}
	local, err := net.ResolveTCPAddr("tcp", "127.0.0.1:9877")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithValue(t.Context(), http.LocalAddrContextKey, local)
	r := httptest.NewRequestWithContext(ctx, "POST", "http://127.0.0.1:9877/api/kick?ticket=operator", strings.NewReader(`{"name": "eve"}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.Admin().ServeHTTP(w, r)
	if w.Code != 200 {
		t.Errorf("the operator gets %d, %s", w.Code, w.Body)
	}
}

// A signature holds for one path, also where there are no rooms and CLU takes any path for /.
func TestASignatureHoldsForNoPathThatIsNotUnderstood(t *testing.T) {
	const key = "0123456789abcdef"
	h := newAccessHarness(t, signedBy(t, key, "connect"))
	h.cfg.Sources = nil
	m := "?m=" + signURL(key, "/", h.clock.Now().Add(time.Minute))
	for target, want := range map[string]int{
		"/" + m: 101, "//" + m: 403, "/x" + m: 403, "/." + m: 400, "/%2e%2e/" + m: 400, "/%2F" + m: 400, "/%00" + m: 400,
		"/?x=1;" + m[1:]: 400,
	} {
		if status, reason := h.status(target, nil); status != want || strings.Contains(reason, m[3:]) {
			t.Errorf("%s: %d, %q, want %d", target, status, reason, want)
		}
	}
}

// smuggled sends a request byte by byte as it is written, and returns the status of the answer.
func (h *accessHarness) smuggled(head string) int {
	h.t.Helper()
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(testkit.Patience))
	fmt.Fprint(conn, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		h.t.Fatalf("%q: %v", head, err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// The proxy replaces X-Remote-User. Nothing else that a client sends may be read as that.
func TestNothingElsePassesForTheUserOfAProxy(t *testing.T) {
	h := newAccessHarness(t, func(c *access.Config) {
		c.Tokens = nil
		c.Proxy = &access.ProxyConfig{From: []string{"127.0.0.0/8"}, User: "X-Remote-User", Roles: access.Assignments{{Match: "user:root", Role: "engineer"}}}
	})
	upgrade := "GET / HTTP/1.1\nHost: " + h.addr + "\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
	whoami := "GET /whoami HTTP/1.1\nHost: " + h.addr
	for field, want := range map[string]int{
		"":                          401,
		"X-Remote-User: root":       0, // 101 or 200
		"x-remote-USER:root":        0,
		"X_Remote_User: root":       401,
		"X-Remote_User: root":       401,
		"X-Remote-User : root":      400,
		" X-Remote-User: root":      400,
		"X-Remote-User:":            401,
		"X-Remote-User: root, root": 403,
		"X-Remote-User: root\nX-Remote-User: root":   400,
		"X-Remote-User:\nX-Remote-User: root":        400,
		"X-Remote-User: ana\nx-remote-user: root":    400,
		"X-A: b\n X-Remote-User: root":               400,
		"X-A: b\r X-Remote-User: root":               400,
		"X-Remote-User: ro\x00ot":                    400,
		"X-Remote-User: root\nAuthorization:":        401,
		"X-Remote-User: root\nAuthorization: Basic ": 401,
	} {
		for kind, request := range map[string]string{"upgrade": upgrade, "whoami": whoami} {
			status := h.smuggled(strings.TrimSuffix(request+"\n"+field, "\n"))
			if want == 0 && status != 101 && status != 200 || want != 0 && status != want {
				t.Errorf("%s, %q: %d, want %d", kind, field, status, want)
			}
		}
	}
}
