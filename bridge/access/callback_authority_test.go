package access

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// In style proxy the application is to judge the field Authorization, whatever is in it; tokens that
// this bridge knows itself are not its business.
func TestTheApplicationJudgesTheFieldsThatAreForwarded(t *testing.T) {
	token, hash := NewToken()
	app := newTestApp(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer of-the-site" && got != "Digest of-the-site" {
			says(401, "")(w, r)
			return
		}
		says(200, `{"name":"ada","role":"observer"}`)(w, r)
	})
	a := newAuthority(t, Config{Anonymous: "viewer", Callback: &CallbackConfig{URL: app.URL, Style: "proxy"},
		Tokens: []TokenConfig{{Name: "archiver", Hash: hash, Role: "viewer"}}})
	t.Cleanup(a.asked().client.CloseIdleConnections)
	for field, want := range map[string]string{"Bearer of-the-site": "callback", "Digest of-the-site": "callback", "Bearer " + token: "token"} {
		if p := enters(t, a, approach("", "Authorization: "+field)); p.Source != want {
			t.Errorf("%.10s is judged by %s", field, p.Source)
		}
	}
	refused(t, decide(t, a, approach("", "Authorization: Bearer of-nobody")), 401, "refused")
	if p := enters(t, a, approach("")); p.Source != "anonymous" {
		t.Errorf("without a credential it is %+v", p)
	}
	refused(t, decide(t, a, approach("ticket=x")), 401, "invalid")
}

func TestAReloadMayAddAndRemoveTheCallback(t *testing.T) {
	app := newTestApp(t, says(200, `{"status":"ok","name":"ada","role":"observer","renew_in":60}`))
	cfg := Config{Callback: &CallbackConfig{URL: app.URL, Ask: []string{"command"}, Grace: time.Minute}}
	a := newAuthority(t, cfg)
	t.Cleanup(a.asked().client.CloseIdleConnections)
	p := enters(t, a, approach("ticket=x"))
	if !a.Asks("command") || a.Asks("subscribe") {
		t.Error("it asks about something else")
	}
	if next, refusal := a.Stay(p); refusal != nil || !next.RenewAfter.After(testNow) || next.UnknownSince() != testNow {
		t.Errorf("it is to stay: %+v, %v", next, refusal)
	}
	if err := a.Reload(withRoles(Config{Anonymous: "viewer"})); err != nil {
		t.Fatal(err)
	}
	if a.Asks("command") || a.CallbackStats() != (CallbackStats{}) {
		t.Error("it asks although there is no callback")
	}
	if _, refusal := a.Ask(t.Context(), p, Ask{Op: "command"}); refusal != nil {
		t.Errorf("what was on its way: %v", refusal)
	}
	if _, refusal := a.Renew(t.Context(), p); refusal == nil || refusal.Code != "revoked" {
		t.Errorf("who came by the callback: %v", refusal)
	}
	if same, refusal := a.Stay(p); same != p || refusal != nil {
		t.Errorf("%+v, %v", same, refusal)
	}
	a.Event(p, Event{Op: "message"})
	anonymous := enters(t, a, approach(""))
	if err := a.Reload(withRoles(Config{Anonymous: "viewer", Callback: cfg.Callback})); err != nil {
		t.Fatal(err)
	}
	if same, refusal := a.Renew(t.Context(), anonymous); same != anonymous || refusal != nil {
		t.Errorf("who did not come by the callback: %+v, %v", same, refusal)
	}
}

// No credential, and nothing that is secret in the configuration, is in what clients or operators
// read.
func TestNoSecretIsToldOfACallback(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"yes": says(200, `{"status":"ok","name":"ada","role":"observer"}`), "no": says(401, ""), "down": says(502, ""), "rubbish": says(200, "planted-answer"),
		"another role": says(200, `{"status":"ok","role":"planted-role"}`), "cut off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"elsewhere": http.RedirectHandler("/planted-place", http.StatusFound).ServeHTTP,
	} {
		app := newTestApp(t, handler)
		c := app.callback(t, CallbackConfig{Secret: "planted-secret", Ask: []string{"command"}, Events: []string{"message"}})
		v := c.identify(t.Context(), approach("", "Cookie: planted-cookie"), "planted-ticket")
		_, asked := c.ask(t.Context(), v.Principal, Ask{Op: "command", Command: "open planted-argument"})
		c.event(v.Principal, Event{Op: "message", Body: []byte("planted-body")})
		told := app.logged()
		for _, refusal := range []*Refusal{v.Refusal, asked} {
			if refusal != nil {
				told += refusal.Reason
			}
		}
		if told = strings.ReplaceAll(told, "planted-role", ""); strings.Contains(told, "planted") { // the role is to be mended
			t.Errorf("%s: %s", name, told)
		}
	}
}

func TestADictionaryThatIsNoRoomIsNotAnAnswer(t *testing.T) {
	for _, rooms := range []string{`[1]`, `[{}]`, `[{"": 1}]`, `[{"a/b": 1}]`, `[{"a=b": 1}]`, `[{"a": {"b": 1}}]`, `[{"a": ""}]`, `[{"a": "x*"}]`, `[{"a": "${name}"}]`, `[{"*": 1}]`, `["live"]`, `[{"a": ["x"]}]`, `{}`} {
		app := newTestApp(t, says(200, `{"name":"ada","allowed_rooms":`+rooms+`}`))
		v := app.callback(t, CallbackConfig{Style: "proxy"}).identify(t.Context(), approach("", "Authorization: x"), "")
		if code(v) != "unknown" {
			t.Errorf("%s: %+v", rooms, v.Refusal)
		}
	}
}
