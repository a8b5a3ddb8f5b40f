package bridge_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// docAccess is a bridge with access control that can produce what docs/protocol.md says of it.
type docAccess struct {
	t      *testing.T
	b      *running
	config access.Config
	tokens map[string]string
	broken atomic.Bool // the application does not answer
}

func newDocAccess(t *testing.T, url string) *docAccess {
	t.Helper()
	d := &docAccess{t: t, tokens: map[string]string{}}
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if d.broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"status": "ok", "name": "tom", "role": "observer", "expires_in": 3600, "renew_in": 1}`)
	}))
	t.Cleanup(application.Close)
	d.config = access.Config{
		Roles:    map[string]json.RawMessage{"observer": json.RawMessage(`{"hear": [{"sender": ["dome"]}], "rooms": ["/live/x"]}`), "less": json.RawMessage(`{"hear": [{"sender": ["dome"]}], "rooms": ["/live/x"]}`)},
		Callback: &access.CallbackConfig{URL: application.URL, Grace: 2 * time.Second},
	}
	for name, lasts := range map[string]time.Duration{"ana": time.Hour, "bob": 0} {
		token, hash := access.NewToken()
		d.tokens[name] = token
		one := access.TokenConfig{Name: name, Hash: hash, Role: "observer"}
		if lasts > 0 {
			one.Expires = time.Now().Add(lasts).UTC().Format(time.RFC3339)
		}
		if name == "bob" {
			one.Role = "less"
		}
		d.config.Tokens = append(d.config.Tokens, one)
	}
	d.b = linked(t, url, withHistory, withSources("exchange=live"), func(c *bridge.Config) {
		a, err := access.New(d.config, access.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c.Name, c.Version, c.ListClients, c.Access = "guarded", "0.1.0", true, a
	})
	return d
}

// dial connects a v1 client with a name's token.
func (d *docAccess) dial(name string) *client {
	d.t.Helper()
	c := testkit.DialWebSocketWith(d.t, ws.Dialer{Protocols: []string{bridge.Subprotocol, "bearer." + d.tokens[name]}}, "ws://"+d.b.addr+"/")
	return &client{t: d.t, WebSocket: c}
}

// addShort adds a token that expires soon: it must do so only once it is used.
func (d *docAccess) addShort(lasts time.Duration) {
	d.t.Helper()
	token, hash := access.NewToken()
	d.tokens["short"] = token
	d.config.Tokens = append(d.config.Tokens, access.TokenConfig{
		Name: "short", Hash: hash, Role: "observer", Expires: time.Now().Add(lasts).UTC().Format(time.RFC3339),
	})
	d.reload()
}

// reload gives the bridge the configuration as it is now.
func (d *docAccess) reload() {
	d.t.Helper()
	config := d.config
	if err := d.b.Reload(bridge.Reload{Access: &config}); err != nil {
		d.t.Fatal(err)
	}
}

// runAuth sends an example of auth, and returns the answers.
func (th *docHarness) runAuth(text string) []envelope {
	th.t.Helper()
	c := dial(th.t, th.access.b.addr)
	c.say(strings.Replace(text, "...", th.access.tokens["ana"], 1))
	return th.until(c, "ok")
}

// runAccess provokes the messages about access that do not answer an example.
func (th *docHarness) runAccess() {
	th.t.Helper()
	d := th.access
	d.addShort(8 * time.Second)
	c := d.dial("short")
	th.until(c, "access")
	c = d.dial("bob")
	c.say(`{"op": "subscribe", "id": "r", "rooms": ["/live/x"]}`)
	th.until(c, "ok")
	d.config.Roles["less"] = json.RawMessage(`{"hear": [{"sender": ["dome"]}]}`)
	d.reload()
	th.until(c, "unsubscribed")
	c, _ = dialV1(th.t, d.b.addr, "/?ticket=x")
	d.broken.Store(true)
	th.until(c, "access")
	d.broken.Store(false)
	th.until(c, "access")
}
