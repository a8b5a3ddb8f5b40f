package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// accessHarness is a bridge with access control, whose configuration the test changes.
type accessHarness struct {
	*bridgeHarness
	config access.Config
	tokens map[string]string // by name
	logged *logBuffer
}

// logBuffer is a log that a test reads.
type logBuffer struct {
	mu   sync.Mutex // guards the following field
	text strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// testRoles are the roles of the configuration.
var testRoles = map[string]json.RawMessage{
	"viewer":   json.RawMessage(`{"hear": [{}]}`),
	"observer": json.RawMessage(`{"hear": [{"sender": "dome"}], "own": true, "command": [{"consumer": ["dome"]}], "rooms": ["/live/a"]}`),
	"engineer": json.RawMessage(`{"hear": [{}], "rooms": ["/**"], "command": [{}], "clients": true, "admin": true}`),
}

// newAccessHarness starts a bridge that knows ana, an observer, eve, a viewer, and eng, an
// engineer, by their tokens. The bridge has rooms below /live.
func newAccessHarness(t testing.TB, changes ...func(*access.Config)) *accessHarness {
	t.Helper()
	h := &accessHarness{tokens: map[string]string{}, logged: new(logBuffer)}
	h.config.Roles = maps.Clone(testRoles)
	for name, role := range map[string]string{"ana": "observer", "eve": "viewer", "eng": "engineer"} {
		token, hash := access.NewToken()
		h.tokens[name] = token
		h.config.Tokens = append(h.config.Tokens, access.TokenConfig{Name: name, Hash: hash, Role: role})
	}
	for _, change := range changes {
		change(&h.config)
	}
	h.bridgeHarness = newHarnessWith(t, func(cfg *Config, clock *testkit.Clock) {
		a, err := access.New(h.config, access.Options{Now: clock.Now, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Name, cfg.Access, cfg.Logger = "bridge", a, slog.New(slog.NewTextHandler(h.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		cfg.Sources = []rooms.Source{{Exchange: "live"}}
	})
	return h
}

func expireToken(c *access.Config, name string, after time.Duration) {
	for i := range c.Tokens {
		if c.Tokens[i].Name == name {
			c.Tokens[i].Expires = time.Unix(0, 0).Add(after).UTC().Format(time.RFC3339)
		}
	}
}

// reload changes the configuration.
func (h *accessHarness) reload(change func(*access.Config)) {
	h.t.Helper()
	change(&h.config)
	config := h.config
	if err := h.Reload(Reload{Access: &config}); err != nil {
		h.t.Fatal(err)
	}
}

// bearer returns the header field with a name's token.
func (h *accessHarness) bearer(name string) http.Header {
	return http.Header{"Authorization": {"Bearer " + h.tokens[name]}}
}

// open connects with header fields and subprotocols.
func (h *accessHarness) open(target string, fields http.Header, protocols ...string) *testkit.WebSocket {
	h.t.Helper()
	return testkit.DialWebSocketWith(h.t, ws.Dialer{Header: ws.HandshakeHeaderHTTP(fields), Protocols: protocols}, "ws://"+h.addr+target)
}

// v1 connects a v1 client with a name's token, and returns its hello.
func (h *accessHarness) v1(name string) (*testkit.WebSocket, map[string]any) {
	h.t.Helper()
	c := h.open("/", h.bearer(name), Subprotocol)
	return c, next(h.t, c)
}

// status connects, and returns the status with which that is refused, and the reason.
func (h *accessHarness) status(target string, fields http.Header, protocols ...string) (status int, reason string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), testkit.Patience)
	defer cancel()
	d := ws.Dialer{Header: ws.HandshakeHeaderHTTP(fields), Protocols: protocols}
	d.OnStatusError = func(_ int, _ []byte, resp io.Reader) {
		head, body, _ := strings.Cut(readAll(resp), "\r\n\r\n")
		_, _ = head, body
		reason = strings.TrimSpace(body)
	}
	c, err := testkit.OpenWebSocket(ctx, d, "ws://"+h.addr+target)
	if err == nil {
		c.Close()
		return http.StatusSwitchingProtocols, ""
	}
	refused, ok := errors.AsType[ws.StatusError](err)
	if !ok {
		h.t.Fatalf("%s: %v", target, err)
	}
	return int(refused), reason
}

func readAll(r io.Reader) string {
	text, _ := io.ReadAll(r)
	return string(text)
}

// next reads a client's next message.
func next(t testing.TB, c *testkit.WebSocket) (m map[string]any) {
	t.Helper()
	text := c.Receive()
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

// nextOp reads messages up to one with an op.
func nextOp(t testing.TB, c *testkit.WebSocket, op string) map[string]any {
	t.Helper()
	for {
		if m := next(t, c); m["op"] == op {
			return m
		}
	}
}

// closes reads frames until the bridge closes the connection, and returns the code and reason.
func closes(t testing.TB, c *testkit.WebSocket) (code int, reason string) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(testkit.Patience))
	for {
		h, err := ws.ReadHeader(c)
		payload := make([]byte, min(h.Length, 1<<20))
		if err == nil {
			_, err = io.ReadFull(c, payload)
		}
		if err != nil {
			t.Fatalf("the connection ended with %v, not with a close frame", err)
		}
		if h.OpCode == ws.OpClose {
			status, text := ws.ParseCloseFrameData(payload)
			return int(status), text
		}
	}
}
