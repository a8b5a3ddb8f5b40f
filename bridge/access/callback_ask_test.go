package access

import (
	"net/http"
	"testing"
	"time"
)

func TestACommandIsAskedAboutInFull(t *testing.T) {
	app := newTestApp(t, says(200, `{"status":"ok","name":"ada","role":"viewer"}`))
	c := app.callback(t, CallbackConfig{Ask: []string{"command"}})
	ap := approach("", "Origin: https://page.example")
	ap.Extra = []byte(`{"lang":"en"}`)
	p := c.identify(t.Context(), ap, "x").Principal
	app.answer(says(200, `{"status":"ok","data":[1]}`))
	data, refusal := c.ask(t.Context(), p, Ask{Op: "command", Client: "bridge-1", Consumer: "dome", Command: "open --now", ID: "c1"})
	if refusal != nil || string(data) != "[1]" {
		t.Errorf("%s, %v", data, refusal)
	}
	const want = `{"op":"command","name":"ada","path":"/","client":"bridge-1","remote":"192.0.2.1","origin":"https://page.example",` +
		`"consumer":"dome","command_string":"open --now","id":"c1","extra":{"lang":"en"}}`
	if _, body, n := app.last(); body != want || n != 2 {
		t.Errorf("the application got, in request %d,\n%s\nwant\n%s", n, body, want)
	}
	if _, refusal = c.ask(t.Context(), p, Ask{Op: "subscribe", Path: "/live"}); refusal != nil {
		t.Errorf("what is not to be asked about: %v", refusal)
	}
	if _, _, n := app.last(); n != 2 {
		t.Errorf("what is not to be asked about was asked")
	}
}

func TestARefusalOfTheApplicationHasItsWordsAndData(t *testing.T) {
	app := newTestApp(t, says(200, `{"status":"error","error":"This book does not exist.","data":{"code":7}}`))
	c := app.callback(t, CallbackConfig{Ask: []string{"subscribe"}})
	data, refusal := c.ask(t.Context(), nil, Ask{Op: "subscribe", Path: "/books/1", Extra: []byte(`{}`)})
	if refusal == nil || refusal.Status != http.StatusForbidden || refusal.Reason != "This book does not exist." || string(data) != `{"code":7}` {
		t.Errorf("%s, %+v", data, refusal)
	}
}

// Nothing moves because nobody could be asked.
func TestUnknownRefusesACommand(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"down": says(502, ""), "rubbish": says(200, "ok"), "slow": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"no status": says(200, `{"data":1}`),
	} {
		app := newTestApp(t, handler)
		c := app.callback(t, CallbackConfig{Ask: []string{"command"}, Timeout: 50 * time.Millisecond})
		data, refusal := c.ask(t.Context(), &Principal{Name: "ada"}, Ask{Op: "command", Consumer: "dome"})
		if refusal == nil || refusal.Status != http.StatusServiceUnavailable || data != nil {
			t.Errorf("%s: %s, %+v", name, data, refusal)
		}
	}
}

// A site that answers whatever it is asked, as a page does, has not allowed a command.
func TestInStyleProxyACommandNeedsAStatus(t *testing.T) {
	for body, allowed := range map[string]bool{"": false, `{}`: false, `{"name":"ada","role":"viewer"}`: false, `{"status":"ok"}`: true} {
		app := newTestApp(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Remote-User", "ada")
			says(200, body)(w, nil)
		})
		c := app.callback(t, CallbackConfig{Style: "proxy", Ask: []string{"command"}, Role: "viewer"})
		p := c.identify(t.Context(), approach("", "Authorization: Token x"), "").Principal
		if p == nil {
			t.Fatalf("%s: it may not enter", body)
		}
		_, refusal := c.ask(t.Context(), p, Ask{Op: "command", Consumer: "dome"})
		r, _, _ := app.last()
		if (refusal == nil) != allowed || r.Method != "POST" || r.Header.Get("Authorization") != "Token x" {
			t.Errorf("%s: %v; the application got %s %v", body, refusal, r.Method, r.Header)
		}
	}
}

// A renewal that fails tells why, and never makes somebody else of a client.
func TestARenewalIsForTheSameName(t *testing.T) {
	for style, want := range map[string]string{
		"post":  `{"op":"renew","name":"ada","path":"/","client":"","remote":"192.0.2.1","origin":""}`,
		"proxy": "",
	} {
		app := newTestApp(t, says(200, `{"status":"ok","name":"ada","role":"viewer","renew_in":60,"data":1}`))
		c := app.callback(t, CallbackConfig{Style: style})
		p := c.identify(t.Context(), approach("", "Authorization: Token x"), "x").Principal
		app.answer(says(200, `{"status":"ok","name":"ada","role":"observer"}`))
		next, refusal := c.renew(t.Context(), p)
		if refusal != nil || next.Role != "observer" || p.Role != "viewer" || string(next.Data) != "1" {
			t.Errorf("%s: %+v, %v", style, next, refusal)
		}
		if r, body, _ := app.last(); body != want || style == "proxy" && r.Header.Get("Authorization") != "Token x" {
			t.Errorf("%s: the application got %v %s", style, r.Header, body)
		}
		for body, code := range map[string]string{
			`{"status":"ok","name":"bob","role":"observer"}`:        "name",
			`{"status":"error","error":"You have signed out."}`:     "refused",
			`{"status":"ok","name":"ada","grants":{"admin":false}}`: "",
			`{"status":"ok","name":"ada"}`:                          "no_role",
		} {
			app.answer(says(200, body))
			next, refusal := c.renew(t.Context(), p)
			if (next == nil) != (code != "") || refusal != nil && refusal.Code != code {
				t.Errorf("%s: %s: %+v, %+v", style, body, next, refusal)
			}
		}
	}
}

func TestAReloadFindsTheRolesOfTheApplicationsUsersAgain(t *testing.T) {
	app := newTestApp(t, says(200, `{"status":"ok","name":"ada"}`))
	c := app.callback(t, CallbackConfig{Role: "viewer"})
	p := c.identify(t.Context(), approach(""), "x").Principal
	if same, refusal := app.callback(t, CallbackConfig{Role: "viewer"}).current(p); same != p || refusal != nil {
		t.Errorf("nothing has changed: %+v, %v", same, refusal)
	}
	if next, refusal := app.callback(t, CallbackConfig{Role: "observer"}).current(p); refusal != nil || next.Role != "observer" || next.Name != "ada" {
		t.Errorf("another role: %+v, %v", next, refusal)
	}
	if _, refusal := app.callback(t, CallbackConfig{}).current(p); refusal == nil || refusal.Code != "no_role" {
		t.Errorf("no role: %+v", refusal)
	}
}

// A reload takes a new secret at once, and loses neither events nor the count of what is in flight.
func TestAReloadGoesOnWithWhatIsUnderWay(t *testing.T) {
	app := newTestApp(t, says(200, `{"status":"ok","name":"ada","role":"viewer"}`))
	cfg := CallbackConfig{URL: app.URL, Secret: "file:secret", Events: []string{"message"}}
	secret := "before"
	a, err := New(withRoles(Config{Callback: &cfg}), Options{Secret: func(string) ([]byte, error) { return []byte(secret), nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.asked().client.CloseIdleConnections() })
	for _, want := range []string{"before", "after"} {
		if secret = want; want == "after" {
			a.Event(nil, Event{Op: "message"})
			if err := a.Reload(withRoles(Config{Callback: &cfg})); err != nil {
				t.Fatal(err)
			}
		}
		enters(t, a, approach("ticket=x"))
		if r, _, _ := app.last(); r.Header.Get("Authorization") != "Bearer "+want {
			t.Errorf("the application got %s, want %s", r.Header.Get("Authorization"), want)
		}
	}
	if n := len(a.asked().queue.waiting); n != 1 {
		t.Errorf("%d events wait", n)
	}
	if s := a.CallbackStats(); s.Peak != 1 || s.InFlight != 0 {
		t.Errorf("the figures are %+v", s)
	}
}
