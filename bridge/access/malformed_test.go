package access

import (
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// What a client shows in a form that some parser reads and another does not is a credential all the
// same: without that, it would be anonymous.
func TestAMalformedCredentialIsNeverAnonymous(t *testing.T) {
	_, hash := NewToken()
	a := newAuthority(t, Config{Anonymous: "viewer", Cookie: "session", Tokens: []TokenConfig{{Name: "a", Hash: hash, Role: "viewer"}}})
	for query, want := range map[string]int{
		"Token=nonsense": 401, "TICKET=nonsense": 401, "%54oken=nonsense": 401,
		"x=1;token=nonsense": 400, "x;m=nonsense": 400, "x;y=1;tick%65t=nonsense": 400, "m=nonsense;x=1": 403,
	} {
		if v := decide(t, a, approach(query)); v.Refusal == nil || v.Refusal.Status != want || strings.Contains(v.Refusal.Reason, "nonsense") {
			t.Errorf("%s: %+v, %v, want %d", query, v.Principal, v.Refusal, want)
		}
	}
	for _, cookie := range []string{"session=\x80nonsense", `session="nonsense`, `session="`, `session="""`, `session=non"sense`, "session=non\\sense", "a=1; session = nonsense", "session=a,b"} {
		ap := approach("", "Cookie: "+cookie)
		ap.OriginAllowed = true
		refused(t, decide(t, a, ap), 401, "invalid")
	}
	ap := approach("", "Cookie: session=one; session=two")
	ap.OriginAllowed = true
	refused(t, decide(t, a, ap), 400, "several")
}

func TestAMalformedCookieIsForwardedToTheApplication(t *testing.T) {
	var got string
	app := newTestApp(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Cookie")
		w.WriteHeader(http.StatusUnauthorized)
	})
	c := app.callback(t, CallbackConfig{Style: "proxy", Headers: []string{"cookie:session"}})
	ap := approach("", `Cookie: other=x; session="nonsense`)
	ap.OriginAllowed = true
	if !c.carries(ap) {
		t.Fatal("it would be anonymous")
	}
	if v := c.identify(t.Context(), ap, ""); v.Refusal == nil || got != `session="nonsense` {
		t.Errorf("%+v; the application got %q", v, got)
	}
}

func TestCredentialsBehindASemicolonAreHidden(t *testing.T) {
	for query, want := range map[string]string{
		"x=1;token=secret":          "x=1;token=(hidden)",
		"x;tick%65t=secret&y=2":     "x;tick%65t=(hidden)&y=2",
		"x=1;m=secret;token=secret": "x=1;m=(hidden)",
		"Token=secret&TICKET=a":     "Token=(hidden)&TICKET=(hidden)",
	} {
		if got := RedactQuery(query); got != want {
			t.Errorf("%s becomes %s, want %s", query, got, want)
		}
	}
	if got := WithoutCredentials("x=1;token=secret&y=2"); got != "y=2" {
		t.Errorf("what is left has %s", got)
	}
}

// A configuration made with an empty variable must not let in who sends an empty token.
func TestTheHashOfNothingIsNoToken(t *testing.T) {
	sum := sha256.Sum256(nil)
	_, err := New(withRoles(Config{Tokens: []TokenConfig{{Name: "a", Hash: "sha256:" + hex.EncodeToString(sum[:]), Role: "viewer"}}}), Options{})
	wrong, ok := errors.AsType[*PathError](err)
	if !ok || wrong.Path != "tokens[0].hash" || !strings.Contains(err.Error(), "anybody") {
		t.Errorf("it is %v", err)
	}
}

// An application may quote what it refuses, and its words go into logs.
func TestAnApplicationsWordsDoNotShowTheCredential(t *testing.T) {
	const secret = "planted-credential-0123456789"
	app := newTestApp(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"status": "error", "error": "` + strings.Repeat("x", wordsMaxLength-40) + ` not known: ` + secret + ` (YWRhOnBsYW50ZWQtY3JlZGVudGlhbC0wMTIzNDU2Nzg5)"}`))
	})
	for name, ap := range map[string]*Approach{
		"ticket": approach(""), "cookie": approach("", "Cookie: lang=en; session="+secret), "bearer": approach("", "Authorization: Bearer "+secret),
		"basic": approach("", "Authorization: Basic YWRhOnBsYW50ZWQtY3JlZGVudGlhbC0wMTIzNDU2Nzg5"),
	} {
		ap.OriginAllowed = true
		style := "proxy"
		if name == "ticket" {
			style = "post"
		}
		v := app.callback(t, CallbackConfig{Style: style}).identify(t.Context(), ap, secret)
		if v.Refusal == nil || strings.Contains(v.Refusal.Reason, "planted") || !strings.Contains(v.Refusal.Reason, "not known: (hidden)") {
			t.Errorf("%s: the client and the log read %v", name, v.Refusal)
		}
	}
}

func TestACommonNameWithACommaIsNoOthersSubject(t *testing.T) {
	a := newAuthority(t, Config{ClientsCA: "ca.pem", Certificates: map[string]string{"CN=archiver,O=lab": "engineer", `CN=odd\,name`: "viewer"}})
	refused(t, decide(t, a, withCertificate(pkix.Name{CommonName: "archiver,O=lab"})), 403, "no_role")
	if p := enters(t, a, withCertificate(pkix.Name{CommonName: "odd,name", Organization: []string{"x"}})); p.Role != "viewer" {
		t.Errorf("it is %+v", p)
	}
}

// Who comes through a proxy that has signed nobody in is not the proxy.
func TestAProxysOwnConnectionIsNotItsClients(t *testing.T) {
	proxy := proxyConfig()
	proxy.From = append(proxy.From, "unix")
	a := newAuthority(t, Config{Anonymous: "viewer", Proxy: proxy, Unix: Assignments{{"user:0", "engineer"}},
		ClientsCA: "ca.pem", Certificates: map[string]string{"CN=nginx": "engineer"}})
	peer, remote := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("203.0.113.7:0")
	for name, c := range map[string]struct {
		peer, remote netip.AddrPort
		unix         bool
		fields       []string
		want         string
	}{
		"a program at the socket":                  {unix: true, want: "engineer"},
		"a proxy at the socket":                    {unix: true, fields: []string{"X-Forwarded-For: 203.0.113.7"}, want: "viewer"},
		"a proxy at the socket whose client":       {remote: remote, unix: true, want: "viewer"},
		"a PROXY header at the socket":             {peer: remote, remote: remote, unix: true, want: "viewer"},
		"a program with a certificate":             {peer: peer, remote: peer, want: "engineer"},
		"a proxy with a certificate":               {peer: peer, remote: remote, want: "viewer"},
		"a proxy with a certificate, Forwarded":    {peer: peer, remote: peer, fields: []string{"Forwarded: for=203.0.113.7"}, want: "viewer"},
		"a client with a certificate, made up":     {peer: remote, remote: remote, fields: []string{"X-Forwarded-For: 127.0.0.1"}, want: "engineer"},
		"a proxy with a certificate, and its user": {peer: peer, remote: remote, fields: []string{"X-Remote-User: ana", "X-Remote-Groups: night"}, want: "observer"},
	} {
		ap := withCertificate(pkix.Name{CommonName: "nginx"}, c.fields...)
		if c.unix {
			ap = approach("", c.fields...)
			ap.Unix = &UnixPeer{UID: 0, GID: 0}
		}
		ap.Peer, ap.Remote = c.peer, c.remote
		if p := enters(t, a, ap); p.Role != c.want {
			t.Errorf("%s: it is %+v, want %s", name, p, c.want)
		}
	}
}
