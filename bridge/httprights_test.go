package bridge_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// waiting is a command over HTTP whose end is awaited.
type waiting struct {
	t      *testing.T
	answer chan []byte
}

// replies waits for the command's end, and returns its status and the bodies of its replies.
func (w waiting) replies() string {
	w.t.Helper()
	answer := parseEnvelope(w.t, testkit.Receive(w.t, w.answer))
	var bodies []string
	all, _ := answer["replies"].([]any)
	for _, r := range all {
		bodies = append(bodies, envelope(r.(map[string]any)).body())
	}
	return fmt.Sprint(answer["status"], bodies)
}

// opens sends the command 7 to the dome over HTTP, and returns once that has it.
func (g *guarded) opens(p *peer, token string) waiting {
	g.t.Helper()
	w := waiting{g.t, make(chan []byte, 1)}
	commands := p.hear("command.dome")
	r := httptest.NewRequest(http.MethodPost, "/api/command?wait=1", strings.NewReader(`{"consumer": "dome", "command_string": "open", "command_id": "7"}`))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	go func() {
		answer := httptest.NewRecorder()
		g.Admin().ServeHTTP(answer, r)
		w.answer <- answer.Body.Bytes()
	}()
	testkit.Receive(g.t, commands)
	return w
}

// A request over HTTP may wait for an hour. Its sender's rights may be taken away meanwhile.
func TestARequestThatWaitsHearsWhatItsSenderMayHearNow(t *testing.T) {
	for name, c := range map[string]struct {
		change func(g *guarded)
		want   string
	}{
		"nothing changes":     {func(*guarded) {}, `done[{"n":1} {"n":2} {}]`},
		"another changes":     {func(g *guarded) { g.change("eng", onlyHears) }, `done[{"n":1} {"n":2} {}]`},
		"the dome is hidden":  {func(g *guarded) { g.change("ana", `{"hear": [{}], "hide": [{"keyword": "n"}], "command": [{}]}`) }, `done[{"n":1} {}]`},
		"it hears no replies": {func(g *guarded) { g.change("ana", `{"command": [{}]}`) }, `done[{"n":1}]`},
		"it is revoked":       {func(g *guarded) { g.revoke("ana") }, `done[{"n":1}]`},
		"it is kept out": {func(g *guarded) {
			if w, _ := g.post("eng", "/api/kick", `{"name": "ana", "block": "10m"}`); w.Code != http.StatusOK {
				t.Errorf("the kick is answered with %d", w.Code)
			}
		}, `done[{"n":1}]`},
	} {
		url := embeddedBroker(t)
		g := guard(t, url, map[string]string{"ana": `{"hear": [{"sender": "dome"}], "command": [{}]}`, "eng": everything})
		p, eng := newPeer(t, url), g.as("eng", "/")
		w := g.opens(p, g.tokens["ana"])
		for n := 1; n <= 2; n++ {
			p.from("dome", "i", fmt.Sprintf(`{"n": %d}`, n), "command_id", "7")
			eng.next() // the bridge has delivered it
			if n == 1 {
				c.change(g)
			}
		}
		p.from("dome", ":", `{}`, "command_id", "7")
		if got := w.replies(); got != c.want {
			t.Errorf("%s: it ends with %s, want %s", name, got, c.want)
		}
	}
}

// revoke revokes what a name has.
func (g *guarded) revoke(name string) {
	g.t.Helper()
	g.config.Revoked = append(g.config.Revoked, access.Revocation{Name: name})
	config := g.config
	if err := g.Reload(bridge.Reload{Access: &config}); err != nil {
		g.t.Fatal(err)
	}
}

// An anonymous client over HTTP has no name and no connection, but it waits for its own command.
func TestAnAnonymousRequestHearsTheRepliesToItsOwnCommand(t *testing.T) {
	url := embeddedBroker(t)
	g := guard(t, url, map[string]string{"eng": everything}, func(c *bridge.Config) {
		authority, err := access.New(access.Config{
			Roles:     map[string]json.RawMessage{"own": json.RawMessage(`{"own": true, "hide": [{"keyword": "secret"}], "command": [{}]}`)},
			Anonymous: "own",
		}, access.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c.Access = authority
	})
	p := newPeer(t, url)
	w := g.opens(p, "")
	p.from("dome", "i", `{"n": 1}`, "command_id", "7")
	p.from("dome", "i", `{"secret": 1}`, "command_id", "7")
	p.from("dome", "i", `{"n": 2}`, "command_id", "8")
	p.from("dome", ":", `{}`, "command_id", "7")
	if got := w.replies(); got != `done[{"n":1} {}]` {
		t.Errorf("it ends with %s", got)
	}
}

// A message for a room names its publisher, however it was published.
func TestAMessageThatIsPublishedOverHTTPNamesItsUser(t *testing.T) {
	url := embeddedBroker(t)
	g := guard(t, url, map[string]string{"ana": publishesLive}, withSources("exchange=live"))
	g.awaitSources(t, 1)
	live := hearExchange(t, url, "live")
	if w, m := g.post("ana", "/api/publish", `{"path": "/live/x", "body": 1, "order": 3}`); w.Code != http.StatusAccepted {
		t.Fatalf("it is answered with %d, %v", w.Code, m)
	}
	if d := testkit.Receive(t, live); d.Headers["user"] != "ana" || d.Headers["order"] != int64(3) {
		t.Errorf("the message has the headers %v", d.Headers)
	}
}
