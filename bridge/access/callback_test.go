package access

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// testApp is an application that is asked. It answers with what its handler does.
type testApp struct {
	*httptest.Server
	clock testClock
	log   bytes.Buffer
	logMu sync.Mutex

	mu       sync.Mutex // guards the following fields
	requests []*http.Request
	bodies   []string
	handler  http.HandlerFunc
}

func newTestApp(t testing.TB, handler http.HandlerFunc) *testApp {
	t.Helper()
	app := &testApp{handler: handler}
	app.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		app.mu.Lock()
		app.requests, app.bodies = append(app.requests, r), append(app.bodies, string(body))
		handler := app.handler
		app.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(app.Close)
	return app
}

// Write takes lines of the log.
func (app *testApp) Write(line []byte) (int, error) {
	app.logMu.Lock()
	defer app.logMu.Unlock()
	return app.log.Write(line)
}

func (app *testApp) logged() string {
	app.logMu.Lock()
	defer app.logMu.Unlock()
	return app.log.String()
}

func (app *testApp) answer(handler http.HandlerFunc) {
	app.mu.Lock()
	defer app.mu.Unlock()
	app.handler = handler
}

// last returns the last request and its body, and how many there were.
func (app *testApp) last() (*http.Request, string, int) {
	app.mu.Lock()
	defer app.mu.Unlock()
	n := len(app.requests)
	if n == 0 {
		return nil, "", 0
	}
	return app.requests[n-1], app.bodies[n-1], n
}

// callback returns a callback to the application.
func (app *testApp) callback(t testing.TB, cfg CallbackConfig) *callback {
	t.Helper()
	cfg.URL = app.URL + "/ws-login?key=planted-query"
	c, err := newCallback(&cfg, parsedRoles(t), testOptions(&app.clock, slog.NewTextHandler(app, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.client.CloseIdleConnections)
	return c
}

// says answers with a status and a body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestStylePostSendsTheTicketAndWhoShowsIt(t *testing.T) {
	app := newTestApp(t, says(200, `{"status": "ok", "name": "ada", "role": "observer", "expires_in": 3600, "data": {"a": [1]}}`))
	c := app.callback(t, CallbackConfig{Secret: "planted-secret"})
	ap := approach("", "Origin: https://page.example", "Cookie: session=planted-cookie", "Authorization: Bearer x")
	ap.Path, ap.Client, ap.Extra, ap.OriginAllowed = "/live/x", "bridge-1", []byte(`{"lang":"en"}`), true
	p := c.identify(t.Context(), ap, "planted-ticket").Principal
	if p == nil || p.Name != "ada" || p.Source != "callback" || p.Role != "observer" || !p.Expires.Equal(testNow.Add(time.Hour)) || string(p.Data) != `{"a": [1]}` {
		t.Errorf("the principal is %+v", p)
	}
	r, body, _ := app.last()
	const want = `{"ticket":"planted-ticket","path":"/live/x","client":"bridge-1","remote":"192.0.2.1","origin":"https://page.example","extra":{"lang":"en"}}`
	if body != want || r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != "Bearer planted-secret" || r.Header.Get("Cookie") != "" {
		t.Errorf("the application got %s %v\n%s\nwant\n%s", r.Method, r.Header, body, want)
	}
}

func TestStyleProxyForwardsTheListedHeadersOnly(t *testing.T) {
	fields := []string{"Cookie: tracking=1; session=\"a b\"; other=2", "Authorization: Token x", "X-Team: one", "X-Secret: planted"}
	for name, c := range map[string]struct {
		headers []string
		foreign bool
		want    map[string]string
	}{
		"cookie and authorization, as usual": {want: map[string]string{"Cookie": "tracking=1; session=\"a b\"; other=2", "Authorization": "Token x"}},
		"another":                            {headers: []string{"x-team"}, want: map[string]string{"X-Team": "one"}},
		"one cookie":                         {headers: []string{"cookie:session", "X-Team"}, want: map[string]string{"Cookie": `session="a b"`, "X-Team": "one"}},
		"a page that is not allowed":         {foreign: true, want: map[string]string{"Authorization": "Token x"}},
		"one cookie, not allowed":            {headers: []string{"cookie:session", "X-Team"}, foreign: true, want: map[string]string{"X-Team": "one"}},
	} {
		app := newTestApp(t, says(200, `{"name": "ada", "role": "viewer"}`))
		cb := app.callback(t, CallbackConfig{Style: "proxy", Headers: c.headers})
		ap := approach("", append(fields, "Origin: https://page.example")...)
		ap.Path, ap.OriginAllowed = "/live/x", !c.foreign
		if !cb.carries(ap) {
			t.Errorf("%s: there is nothing to ask about", name)
		}
		if v := cb.identify(t.Context(), ap, ""); v.Principal == nil {
			t.Errorf("%s: %v", name, v.Refusal)
		}
		r, body, _ := app.last()
		got := map[string]string{}
		for _, field := range []string{"Cookie", "Authorization", "X-Team", "X-Secret"} {
			if value := r.Header.Get(field); value != "" {
				got[field] = value
			}
		}
		if !equalJSON(got, c.want) || r.Method != "GET" || body != "" || r.Header.Get("X-Original-URI") != "/live/x" || r.Header.Get("X-Real-IP") != "192.0.2.1" {
			t.Errorf("%s: the application got %s %v", name, r.Method, r.Header)
		}
	}
	app := newTestApp(t, says(200, `{}`))
	cb := app.callback(t, CallbackConfig{Style: "proxy", Headers: []string{"cookie:session"}})
	ap := approach("", "Cookie: tracking=1")
	if ap.OriginAllowed = true; cb.carries(ap) {
		t.Error("the cookie of something else is taken for a credential")
	}
}

func equalJSON(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

// answerCases are answers by what they are: yes (no code), no, or no answer at all.
var answerCases = map[string]struct {
	style  string
	status int
	header string
	body   string
	code   string
}{
	"ok":                          {"post", 200, "", `{"status":"ok","name":"ada","role":"viewer"}`, ""},
	"ok, with other things":       {"post", 201, "", `{"status":"ok","role":"viewer","session_id":"x","Status":"error"}`, ""},
	"grants":                      {"post", 200, "", `{"status":"ok","name":"ada","grants":{"hear":[{}]}}`, ""},
	"nulls":                       {"post", 200, "", `{"status":"ok","name":null,"role":"viewer","grants":null,"expires_in":null,"data":null}`, ""},
	"bootstrap":                   {"proxy", 200, "", `{"allowed_rooms":[{"zoo":1}]}`, ""},
	"bootstrap without rooms":     {"proxy", 200, "", `{"allowed_rooms":[]}`, ""},
	"auth_request":                {"proxy", 204, "", "", "no_role"},
	"auth_request, a user":        {"proxy", 200, "X-Auth-Request-User: ada", "<html>", "no_role"},
	"an error":                    {"post", 200, "", `{"status":"error","error":"Authentication failed."}`, "refused"},
	"an error, with 400":          {"post", 400, "", `{"status":"error"}`, "refused"},
	"401":                         {"post", 401, "", "", "refused"},
	"403":                         {"post", 403, "", "<html>", "refused"},
	"401 for a session":           {"proxy", 401, "", `{"detail":"no"}`, "refused"},
	"an error for a session":      {"proxy", 200, "", `{"status":"error"}`, "refused"},
	"no role":                     {"post", 200, "", `{"status":"ok","name":"ada"}`, "no_role"},
	"no status":                   {"post", 200, "", `{"name":"ada","role":"viewer"}`, "unknown"},
	"no answer":                   {"post", 200, "", "", "unknown"},
	"a user, but no answer":       {"post", 200, "X-Auth-Request-User: ada", "", "unknown"},
	"a form to sign in":           {"proxy", 200, "", "<html>", "unknown"},
	"a redirect to it":            {"proxy", 302, "Location: /login", "", "unknown"},
	"500":                         {"post", 500, "", `{"status":"ok","role":"viewer"}`, "unknown"},
	"503":                         {"proxy", 503, "", "", "unknown"},
	"404":                         {"post", 404, "", "<html>", "unknown"},
	"422":                         {"post", 422, "", `{"detail":"field required"}`, "unknown"},
	"429":                         {"post", 429, "", "", "unknown"},
	"a list":                      {"post", 200, "", `["status","ok"]`, "unknown"},
	"two answers":                 {"post", 200, "", `{"status":"ok","role":"viewer"}{"status":"error"}`, "unknown"},
	"status twice":                {"post", 200, "", `{"status":"error","status":"ok","role":"viewer"}`, "unknown"},
	"a role that is not there":    {"post", 200, "", `{"status":"ok","role":"king"}`, "unknown"},
	"a role that is a list":       {"post", 200, "", `{"status":"ok","role":["viewer"]}`, "unknown"},
	"grants with a mistake":       {"post", 200, "", `{"status":"ok","grants":{"here":[{}]}}`, "unknown"},
	"grants and a role":           {"post", 200, "", `{"status":"ok","role":"viewer","grants":{"hear":[{}]}}`, "unknown"},
	"a name with a line break":    {"post", 200, "", `{"status":"ok","role":"viewer","name":"a\nb"}`, "unknown"},
	"expired already":             {"post", 200, "", `{"status":"ok","role":"viewer","expires_in":0}`, "unknown"},
	"times as text":               {"post", 200, "", `{"status":"ok","role":"viewer","renew_in":"soon"}`, "unknown"},
	"too long":                    {"post", 200, "", `{"status":"ok","role":"viewer","x":"` + strings.Repeat("x", answerMaxSize) + `"}`, "unknown"},
	"rooms that are a text":       {"proxy", 200, "", `{"allowed_rooms":"*"}`, "unknown"},
	"a room that leads elsewhere": {"proxy", 200, "", `{"allowed_rooms":[{"zoo":"1/b=2"}]}`, "unknown"},
}

func TestAnAnswerIsYesOrNoOrUnknown(t *testing.T) {
	for name, c := range answerCases {
		app := newTestApp(t, func(w http.ResponseWriter, _ *http.Request) {
			if name, value, ok := strings.Cut(c.header, ": "); ok {
				w.Header().Set(name, value)
			}
			says(c.status, c.body)(w, nil)
		})
		v := app.callback(t, CallbackConfig{Style: c.style}).identify(t.Context(), approach("", "Authorization: Token x"), "x")
		status := map[string]int{"refused": 401, "no_role": 403, "unknown": 503}[c.code]
		switch {
		case code(v) != c.code || v.Refusal != nil && v.Refusal.Status != status:
			t.Errorf("%s: %+v (%v), want %q", name, v.Refusal, v.Principal, c.code)
		case c.code == "unknown" && (v.Refusal.RetryAfter < time.Second || !strings.Contains(app.logged(), "level=WARN")):
			t.Errorf("%s: come again in %v; the log has %s", name, v.Refusal.RetryAfter, app.logged())
		case strings.Contains(app.logged(), "planted"):
			t.Errorf("%s: the log has %s", name, app.logged())
		}
	}
}

func TestTheApplicationsWordsAreGivenToTheClient(t *testing.T) {
	app := newTestApp(t, says(200, `{"status":"error","error":"You have been\naway for too long. `+strings.Repeat("é", 400)+`"}`))
	v := app.callback(t, CallbackConfig{}).identify(t.Context(), approach(""), "x")
	if r := v.Refusal.Reason; !strings.HasPrefix(r, "You have been away for too long. é") || len(r) > wordsMaxLength {
		t.Errorf("the client reads %q", r)
	}
}

// A redirect would take the credential elsewhere.
func TestNoCredentialFollowsARedirect(t *testing.T) {
	other := newTestApp(t, says(200, `{"name":"ada","role":"viewer"}`))
	app := newTestApp(t, http.RedirectHandler(other.URL, http.StatusTemporaryRedirect).ServeHTTP)
	for _, style := range []string{"post", "proxy"} {
		v := app.callback(t, CallbackConfig{Style: style}).identify(t.Context(), approach("", "Authorization: Token x"), "x")
		if _, _, n := other.last(); code(v) != "unknown" || n != 0 {
			t.Errorf("%s: %q, and the other server was asked %d times", style, code(v), n)
		}
	}
}

func TestAnApplicationThatDoesNotAnswerInTimeIsUnknown(t *testing.T) {
	app := newTestApp(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := app.callback(t, CallbackConfig{Timeout: 30 * time.Millisecond})
	if got := code(c.identify(t.Context(), approach(""), "x")); got != "unknown" {
		t.Errorf("%q", got)
	}
	gone := newTestApp(t, nil)
	c = gone.callback(t, CallbackConfig{})
	gone.Close()
	v := c.identify(t.Context(), approach(""), "planted-ticket")
	if code(v) != "unknown" || strings.Contains(gone.logged(), "planted") {
		t.Errorf("nobody listens: %q; the log has %s", code(v), gone.logged())
	}
}

func TestHighTemplarsRoomsBecomePaths(t *testing.T) {
	app := newTestApp(t, says(200, `{"allowed_rooms": [{"target": "chat", "customer": 1}, {"tenant": "*"}, {"b": true, "a": null}, "/users/${name}/*"], "name": "ada"}`))
	p := app.callback(t, CallbackConfig{Style: "proxy", Role: "observer"}).identify(t.Context(), approach("", "Authorization: Token x"), "").Principal
	if p == nil {
		t.Fatal("it may not enter")
	}
	for room, want := range map[string]bool{
		"/customer=1/target=chat": true, "/customer=2/target=chat": false, "/target=chat/customer=1": false, "/tenant=7": true, "/tenant=*": true,
		"/a=null/b=true": true, "/users/ada/x": true, "/users/ada/x/y": true, "/users/bob/x": false, "/customer=1": false,
	} {
		if got := p.Decide(Request{Door: EnterRoom, Room: room}).Allowed; got != want {
			t.Errorf("%s: %v", room, got)
		}
	}
	if !p.Decide(Request{Door: SendCommand, Consumer: "dome", CommandString: "open"}).Allowed {
		t.Error("the role of the configuration is not there")
	}
}

// 1,000 pages of one user that come back together ask once; tickets are used up one by one.
func TestOneCredentialIsAskedAboutOnceAtATime(t *testing.T) {
	for style, want := range map[string]int64{"proxy": 1, "post": 1000} {
		testkit.Bubble(t, func(t *testing.T) {
			app := newFakeApp(t, CallbackConfig{Style: style, InFlight: 2000})
			gone, leave := context.WithCancel(t.Context())
			first := app.enter(gone, 1)
			synctest.Wait()
			others := app.enter(t.Context(), 999)
			synctest.Wait()
			if n := app.asked.Load(); n != want {
				t.Errorf("%s: the application was asked %d times", style, n)
			}
			if style == "proxy" {
				leave() // the first goes; the others need the answer
			}
			close(app.answers)
			for range 999 {
				if v := <-others; v.Principal == nil {
					t.Fatalf("%s: %v", style, v.Refusal)
				}
			}
			<-first
			leave()
		})
	}
}

func TestTheSameCredentialOfAnotherClientIsAnotherQuestion(t *testing.T) {
	app := newTestApp(t, says(200, `{"role":"viewer"}`))
	c := app.callback(t, CallbackConfig{Style: "proxy"})
	key := func(change func(*Approach)) [32]byte {
		ap := approach("", "Authorization: Token x", "Origin: https://page.example")
		change(ap)
		return c.question("", c.renewal(ap)).key()
	}
	same := key(func(*Approach) {})
	if key(func(ap *Approach) { ap.Client = "bridge-2" }) != same {
		t.Error("another session of the same user is asked about apart")
	}
	for name, change := range map[string]func(*Approach){
		"path":    func(ap *Approach) { ap.Path = "/other" },
		"address": func(ap *Approach) { ap.Remote = netip.MustParseAddrPort("192.0.2.2:1") },
		"headers": func(ap *Approach) { ap.Headers = approach("", "Authorization: Token y").Headers },
	} {
		if key(change) == same {
			t.Errorf("with another %s it is the same question", name)
		}
	}
}
