package bridge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// application is a login callback. Its answer is what the test says; without one it does not
// answer until the test ends.
type application struct {
	*httptest.Server
	mu     sync.Mutex // guards the following fields
	answer string
	status int
	asked  chan map[string]any
	hold   chan struct{} // if it is set, answers wait until it is closed
}

func newApplication(t *testing.T) *application {
	a := &application{answer: `{"status": "ok", "name": "ana", "role": "viewer"}`, status: 200, asked: make(chan map[string]any, 100)}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m map[string]any
		_ = json.NewDecoder(r.Body).Decode(&m)
		a.mu.Lock()
		answer, status := a.answer, a.status
		a.mu.Unlock()
		a.asked <- m
		if a.hold != nil {
			<-a.hold
		}
		if answer == "" {
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(a.Server.Close)
	return a
}

func (a *application) says(status int, answer string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status, a.answer = status, answer
}

// newCallbackHarness starts a bridge whose clients show tickets for an application.
func newCallbackHarness(t *testing.T) (*accessHarness, *application) {
	app := newApplication(t)
	return newAccessHarness(t, func(c *access.Config) { c.Callback = &access.CallbackConfig{URL: app.URL} }), app
}

func TestATicketIsDecidedByTheApplication(t *testing.T) {
	h, app := newCallbackHarness(t)
	c := h.open("/?ticket=t1", http.Header{"Origin": {"https://other.example"}}, Subprotocol)
	if hello := next(t, c); hello["access"].(map[string]any)["name"] != "ana" {
		t.Errorf("the hello says %v", hello["access"])
	}
	if m := testkit.Receive(t, app.asked); m["ticket"] != "t1" || m["origin"] != "https://other.example" || m["path"] != "/" || m["client"] != "bridge-1" {
		t.Errorf("the application is asked %v", m)
	}
	app.says(200, `{"status": "ok", "name": "ana", "role": "viewer", "data": {"theme": "dark"}}`)
	if hello := next(t, h.open("/?ticket=t5", nil, Subprotocol)); fmt.Sprint(hello["access"].(map[string]any)["data"]) != "map[theme:dark]" {
		t.Errorf("the application's data are %v", hello["access"])
	}
	app.says(403, `{"status": "error"}`)
	if status, _ := h.status("/?ticket=t2", nil); status != 401 && status != 403 {
		t.Errorf("a ticket that the application refuses gets %d", status)
	}
	app.says(500, `oops`)
	if status, _ := h.status("/?ticket=t3", nil); status != 503 {
		t.Errorf("while the application is broken, a newcomer gets %d", status)
	}
	late := h.open("/", nil)
	next(t, late)
	app.says(200, `{"status": "ok", "name": "ana", "role": "viewer"}`)
	late.Send(`{"op": "auth", "id": "t", "ticket": "t4"}`)
	if m := next(t, late); m["op"] != "hello" || m["session"] == nil {
		t.Errorf("a ticket in a message is answered with %v", m)
	}
}

func TestAMessageWhileACredentialIsDecidedIsRefused(t *testing.T) {
	h, app := newCallbackHarness(t)
	app.says(200, "")
	c := h.open("/", nil)
	next(t, c)
	c.Send(`{"op": "auth", "id": "a", "ticket": "t"}`)
	testkit.Receive(t, app.asked)
	c.Send(`{"consumer": "dome", "command_string": "open"}`)
	if m := next(t, c); m["code"] != "unauthorized" {
		t.Errorf("a command is answered with %v", m)
	}
	c.Send(`{"op": "auth", "id": "b", "ticket": "t"}`)
	if m := next(t, c); m["op"] != "error" || m["id"] != "b" {
		t.Errorf("a second auth is answered with %v", m)
	}
}

func TestACredentialIsRenewedByTheApplication(t *testing.T) {
	h, app := newCallbackHarness(t)
	app.says(200, `{"status": "ok", "name": "ana", "role": "viewer", "expires_in": 600, "renew_in": 100}`)
	c := h.open("/?ticket=t1", nil, Subprotocol)
	next(t, c)
	testkit.Receive(t, app.asked)
	h.awaitDeadlines(1)
	app.says(500, "oops")
	h.pass(2 * time.Minute)
	if m := testkit.Receive(t, app.asked); m["op"] != "renew" || m["name"] != "ana" {
		t.Errorf("the application is asked %v", m)
	}
	if m := next(t, c); m["op"] != "access" || m["renewed"] != false || !strings.Contains(fmt.Sprint(m["message"]), "does not answer") {
		t.Errorf("the client is told %v", m)
	}
	testkit.Eventually(t, testkit.Patience, "a line of the log", func() error {
		if !strings.Contains(h.logged.String(), "a credential could not be renewed") {
			return fmt.Errorf("the log is %s", h.logged)
		}
		return nil
	})
	h.awaitDeadlines(1)
	app.says(200, `{"status": "ok", "name": "ana", "role": "engineer", "expires_in": 600, "renew_in": 100}`)
	h.pass(time.Minute)
	testkit.Receive(t, app.asked)
	if m := next(t, c); m["op"] != "access" || m["changed"] == nil {
		t.Errorf("of its new grants the client is told %v", m)
	}
	if m := next(t, c); m["op"] != "access" || m["renewed"] != true || m["expires"] == nil {
		t.Errorf("of its renewal the client is told %v", m)
	}
	h.awaitDeadlines(1)
	app.says(401, "no")
	h.pass(2 * time.Minute)
	if code, _ := closes(t, c); code != 3000 {
		t.Errorf("a client that the application does not know any more is closed with %d", code)
	}
}

func TestAnOutageOfTheApplicationLastsForATimeOfGrace(t *testing.T) {
	h, app := newCallbackHarness(t)
	app.says(200, `{"status": "ok", "name": "ana", "role": "viewer", "expires_in": 120, "renew_in": 100}`)
	c := h.open("/?ticket=t1", nil, Subprotocol)
	next(t, c)
	testkit.Receive(t, app.asked)
	app.says(500, "oops")
	h.awaitDeadlines(1)
	var waited time.Duration
	for h.Clients() > 0 && waited < time.Hour {
		h.pass(30 * time.Second)
		waited += 30 * time.Second
		h.awaitRenewals()
	}
	if code, _ := closes(t, c); code != 1013 || waited < 11*time.Minute || waited > 15*time.Minute {
		t.Errorf("it is closed with %d after %v", code, waited)
	}
}

// awaitRenewals waits until what was due has been done for every client: none is being renewed, and
// the next deadline has yet to come, unless all clients are closed.
func (h *accessHarness) awaitRenewals() {
	h.t.Helper()
	testkit.Eventually(h.t, testkit.Patience, "no renewal", func() error {
		n, at := h.access.deadlines.Next()
		done := n > 0 && at.After(h.access.now())
		running := h.access.renewals.Running() // after that, because what is due begins a renewal before it sets the next deadline
		if running > 0 || !done && h.Clients() > 0 {
			return fmt.Errorf("%d renewals run, or something is due", running)
		}
		return nil
	})
}

func TestABearerOfAJWTEntersAndOthersDoNot(t *testing.T) {
	secret := strings.Repeat("s", 32)
	h := newAccessHarness(t, func(c *access.Config) {
		c.JWT = []access.JWTConfig{{Issuer: "https://idp", Audience: "clu-ws", Algorithms: []string{"HS256"}, Secret: secret, Role: "viewer"}}
	})
	sign := func(key string) string {
		claims := jwt.MapClaims{"iss": "https://idp", "aud": "clu-ws", "sub": "ana", "exp": 600}
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(key))
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	c := h.open("/", nil, Subprotocol, "bearer."+sign(secret))
	if hello := next(t, c); hello["access"].(map[string]any)["expires"] == nil {
		t.Errorf("the hello says %v", hello["access"])
	}
	if status, _ := h.status("/", http.Header{"Authorization": {"Bearer " + sign(strings.Repeat("x", 32))}}); status != 401 {
		t.Errorf("a forged token gets %d", status)
	}
	h.pass(11 * time.Minute)
	if code, _ := closes(t, c); code != 3000 {
		t.Errorf("after its token has expired it is closed with %d", code)
	}
}
