package bridge_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// guarded is a linked bridge with access control.
type guarded struct {
	*running
	t      *testing.T
	config access.Config
	tokens map[string]string // by name
}

// guard starts a bridge on which each name has the grants of the role of that name.
func guard(t *testing.T, url string, grants map[string]string, adjust ...func(*bridge.Config)) *guarded {
	t.Helper()
	return guardWith(t, url, grants, nil, adjust...)
}

// guardWith is guard with an application that is called back.
func guardWith(t *testing.T, url string, grants map[string]string, callback *access.CallbackConfig, adjust ...func(*bridge.Config)) *guarded {
	t.Helper()
	g := &guarded{t: t, config: access.Config{Roles: map[string]json.RawMessage{}, Callback: callback}, tokens: map[string]string{}}
	for name, form := range grants {
		token, hash := access.NewToken()
		g.tokens[name] = token
		g.config.Roles[name] = json.RawMessage(form)
		g.config.Tokens = append(g.config.Tokens, access.TokenConfig{Name: name, Hash: hash, Role: name})
	}
	authority, err := access.New(g.config, access.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	first := func(c *bridge.Config) { c.Name, c.Access = "bridge", authority }
	g.running = linked(t, url, append([]func(*bridge.Config){first}, adjust...)...)
	return g
}

// as connects a client with a name's token.
func (g *guarded) as(name, target string, subprotocols ...string) *client {
	g.t.Helper()
	header := ws.HandshakeHeaderHTTP{"Authorization": {"Bearer " + g.tokens[name]}}
	return &client{g.t, testkit.DialWebSocketWith(g.t, ws.Dialer{Header: header, Protocols: subprotocols}, "ws://"+g.addr+target)}
}

// v1 connects a v1 client that hears no replies but its own results.
func (g *guarded) v1(name string) *client {
	g.t.Helper()
	c := g.as(name, "/?silent=1")
	if hello := c.next(); hello["op"] != "hello" {
		g.t.Fatalf("the first message is %v", hello)
	}
	return c
}

// post sends a request to the admin port with a name's token.
func (g *guarded) post(name, path, body string) (w *httptest.ResponseRecorder, answer envelope) {
	g.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+g.tokens[name])
	w = httptest.NewRecorder()
	g.Admin().ServeHTTP(w, r)
	return w, parseEnvelope(g.t, w.Body.Bytes())
}

// change gives a name other grants, on open connections too.
func (g *guarded) change(name, grants string) {
	g.t.Helper()
	g.config.Roles[name] = json.RawMessage(grants)
	config := g.config
	if err := g.Reload(bridge.Reload{Access: &config}); err != nil {
		g.t.Fatal(err)
	}
}

// answer reads messages up to the first with one of the ops.
func (c *client) answer(ops ...string) envelope {
	c.t.Helper()
	for {
		m := c.next()
		for _, op := range ops {
			if m["op"] == op {
				return m
			}
		}
	}
}

// application is an application that is called back. Each request is answered by the function.
func application(t *testing.T, answer func(asked envelope) string) *access.CallbackConfig {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the bridge has given up
		}
		asked, err := parse(body)
		if err != nil {
			t.Errorf("the application gets %s: %v", body, err)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, answer(asked))
	}))
	t.Cleanup(server.Close)
	return &access.CallbackConfig{URL: server.URL, Style: "post"}
}
