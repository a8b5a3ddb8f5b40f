package access

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// fetch sends a request to an application of the test, and returns the body of its answer.
func fetch(t testing.TB, client *http.Client, method, url, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: status %d, %s, %v", method, url, answer.StatusCode, text, err)
	}
	return string(text)
}

func appAuthority(t testing.TB, cfg CallbackConfig) *Authority {
	t.Helper()
	a := newAuthority(t, Config{Callback: &cfg})
	t.Cleanup(func() { a.asked().client.CloseIdleConnections() })
	return a
}

// newClient returns an HTTP client that leaves nothing behind when the test ends.
func newClient(t testing.TB) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestATicketOfAFastAPILoginServiceIsGoodOnce(t *testing.T) {
	login, _ := testkit.LoginFastAPI(t)
	client := newClient(t)
	a := appAuthority(t, CallbackConfig{URL: login + "/ws-login", Ask: []string{"command"}, Events: []string{"subscribe"}, Timeout: testkit.Patience})
	var made struct{ Ticket string }
	if err := json.Unmarshal([]byte(fetch(t, client, "POST", login+"/tickets", `{"name": "ada", "role": "observer"}`)), &made); err != nil {
		t.Fatal(err)
	}
	ap := approach("ticket=" + url.QueryEscape(made.Ticket))
	ap.Extra = []byte(`{"lang":"en"}`)
	p := enters(t, a, ap)
	if p.Name != "ada" || p.Source != "callback" || p.Role != "observer" || !p.Expires.Equal(testNow.Add(time.Hour)) ||
		p.RenewAfter.Before(testNow.Add(8*time.Minute)) || p.RenewAfter.After(testNow.Add(10*time.Minute)) {
		t.Errorf("it is %+v", p)
	}
	refused(t, decide(t, a, ap), 401, "refused")

	if data, refusal := a.Ask(t.Context(), p, Ask{Op: "command", Client: "bridge-1", Consumer: "dome", Command: "open"}); refusal != nil || string(data) != `{"extra":{"lang":"en"}}` {
		t.Errorf("a command: %s, %v", data, refusal)
	}
	_, refusal := a.Ask(t.Context(), p, Ask{Op: "command", Client: "bridge-1", Consumer: "dome", Command: "shutdown now"})
	if refusal == nil || refusal.Status != 403 || refusal.Reason != "Nobody shuts this telescope down remotely." {
		t.Errorf("a command that the application forbids: %v", refusal)
	}

	if next, refusal := a.Renew(t.Context(), p); refusal != nil || next.Name != "ada" {
		t.Errorf("renewed: %+v, %v", next, refusal)
	}
	fetch(t, client, "DELETE", login+"/users/ada", "")
	if _, refusal := a.Renew(t.Context(), p); refusal == nil || refusal.Status != 401 || !strings.Contains(refusal.Reason, "signed out") {
		t.Errorf("renewed after signing out: %v", refusal)
	}
	if seen := fetch(t, client, "GET", login+"/seen", ""); strings.Contains(seen, made.Ticket) || !strings.Contains(seen, `"op":"renew"`) {
		t.Errorf("the application was asked %s", seen)
	}
}

func TestASessionOfADjangoSiteIsAskedAbout(t *testing.T) {
	login, _ := testkit.LoginDjango(t)
	client := newClient(t)
	client.Jar, _ = cookiejar.New(nil)
	a := appAuthority(t, CallbackConfig{URL: login + "/ws-login", Style: "proxy", Headers: []string{"cookie:sessionid"}, Timeout: testkit.Patience})
	fetch(t, client, "GET", login+"/login?user=ada&role=observer", "")
	site, err := url.Parse(login)
	if err != nil {
		t.Fatal(err)
	}
	var cookies bytes.Buffer
	for _, cookie := range client.Jar.Cookies(site) {
		cookies.WriteString("tracking=1; " + cookie.Name + "=" + cookie.Value)
	}
	page := func(allowed bool) *Approach {
		ap := approach("", "Origin: https://page.example", "Cookie: "+cookies.String())
		ap.OriginAllowed, ap.Path = allowed, "/live/x"
		return ap
	}
	p := enters(t, a, page(true))
	if p.Name != "ada" || p.Role != "observer" || !equalJSON(json.RawMessage(p.Data), json.RawMessage(`{"path":"/live/x","address":"192.0.2.1"}`)) {
		t.Errorf("it is %+v, %s", p, p.Data)
	}
	refused(t, decide(t, a, page(false)), 401, "missing") // a page of somebody else sends the cookie, too
	fetch(t, client, "GET", login+"/logout", "")
	v := decide(t, a, page(true))
	refused(t, v, 401, "refused")
	if v.Refusal.Reason != "You are not signed in; sign in at /login." {
		t.Errorf("the client reads %q", v.Refusal.Reason)
	}
	if _, refusal := a.Renew(t.Context(), p); refusal == nil || refusal.Status != 401 {
		t.Errorf("renewed after signing out: %v", refusal)
	}
}

// An application that is stopped, as when it is updated, is unknown; when it is back, all goes on.
func TestALoginServiceThatIsStoppedIsUnknown(t *testing.T) {
	login, process := testkit.LoginFastAPI(t)
	client := newClient(t)
	a := appAuthority(t, CallbackConfig{URL: login + "/ws-login", Timeout: testkit.Patience})
	var made struct{ Ticket string }
	if err := json.Unmarshal([]byte(fetch(t, client, "POST", login+"/tickets", `{"name": "ada", "role": "observer"}`)), &made); err != nil {
		t.Fatal(err)
	}
	p := enters(t, a, approach("ticket="+url.QueryEscape(made.Ticket)))
	process.Kill()
	v := decide(t, a, approach("ticket=another"))
	refused(t, v, 503, "unknown")
	if v.Refusal.RetryAfter < unknownRetry {
		t.Errorf("come again in %v", v.Refusal.RetryAfter)
	}
	if next, refusal := a.Renew(t.Context(), p); refusal != nil || next.Role != "observer" || !next.Expires.Equal(p.Expires) {
		t.Errorf("who is in: %+v, %v", next, refusal)
	}
}
