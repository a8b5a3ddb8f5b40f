package bridge

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// echoing is a dialect, and its client, that says what it hears.
type echoing struct{}

func (echoing) Accept(*dialect.Request) (dialect.Accepted, error) {
	return dialect.Accepted{Session: echoing{}}, nil
}
func (echoing) Deliver(*rooms.Message)                     {}
func (echoing) Gap(*rooms.Source, time.Time, time.Time)    {}
func (echoing) Routes() map[string]http.Handler            { return nil }
func (echoing) Run(context.Context)                        {}
func (echoing) Open(engine.Conn)                           {}
func (echoing) Closed(int, string)                         {}
func (echoing) Message(conn engine.Conn, m engine.Message) { conn.Send(engine.Text(string(m.Payload))) }

// A client of a dialect has no principal, whatever operators and users do meanwhile.
func TestAccessControlPassesTheClientsOfADialectBy(t *testing.T) {
	token, hash := access.NewToken()
	config := access.Config{Roles: testRoles, Tokens: []access.TokenConfig{{Name: "eng", Hash: hash, Role: "engineer"}}}
	h := newHarnessWith(t, func(cfg *Config, clock *testkit.Clock) {
		a, err := access.New(config, access.Options{Now: clock.Now, Logger: cfg.Logger})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Access = a
		cfg.Dialects = []dialect.Mount{{Place: dialect.Place{Path: "/d", Rooms: "/d"}, New: func(dialect.Host) (dialect.Dialect, error) { return echoing{}, nil }}}
	})
	c := testkit.DialWebSocket(t, "ws://"+h.addr+"/d")
	echo := func(text string) {
		t.Helper()
		c.Send(text)
		if got := string(c.Receive()); got != text {
			t.Fatalf("the client got %q", got)
		}
	}
	echo("it is connected")
	config.Tokens = nil
	if err := h.Reload(Reload{Access: &config}); err != nil {
		t.Fatal(err)
	}
	echo("the configuration was read again")
	kick := func(who string) string {
		r := httptest.NewRequest(http.MethodPost, "/api/kick", strings.NewReader(who))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		h.Admin().ServeHTTP(w, r)
		return w.Body.String()
	}
	config.Tokens = []access.TokenConfig{{Name: "eng", Hash: hash, Role: "engineer"}}
	if err := h.Reload(Reload{Access: &config}); err != nil {
		t.Fatal(err)
	}
	if got := kick(`{"name": "somebody"}`); !strings.Contains(got, `"closed":0`) {
		t.Errorf("closing somebody else's clients is answered with %s", got)
	}
	echo("another was closed")
	id := ""
	h.engine.Each(func(_ engine.Conn, v any) { id = h.clientID(v.(*client).number) })
	if got := kick(`{"client": "` + id + `"}`); !strings.Contains(got, `"closed":1`) {
		t.Errorf("closing the client is answered with %s", got)
	}
	if text, err := c.ReceiveWithin(testkit.Patience); err == nil {
		t.Errorf("the client that was closed got %q", text)
	}
}
