package access

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// testNow is the time of authorities in tests.
var testNow = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// testRoles are the roles of authorities in tests.
var testRoles = map[string]json.RawMessage{
	"viewer":   json.RawMessage(`{"hear": [{}]}`),
	"observer": json.RawMessage(observer),
	"engineer": json.RawMessage(`{"hear": [{}], "rooms": ["/**"], "command": [{}], "clients": true, "admin": true}`),
	"own":      json.RawMessage(`{"rooms": ["/users/${name}/**"]}`),
}

// newAuthority returns an authority whose clock stands at testNow.
func newAuthority(t testing.TB, cfg Config) *Authority {
	t.Helper()
	a, err := New(withRoles(cfg), Options{Secret: os.ReadFile, Now: func() time.Time { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// withRoles returns a configuration with the roles of tests, unless it has its own.
func withRoles(cfg Config) Config {
	if cfg.Roles == nil {
		cfg.Roles = testRoles
	}
	return cfg
}

// approach returns a client at 192.0.2.1 that asks for /. The fields are "NAME: VALUE".
func approach(query string, fields ...string) *Approach {
	header := http.Header{}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		header.Add(name, value)
	}
	at := netip.MustParseAddrPort("192.0.2.1:5000")
	return &Approach{Method: "GET", Path: "/", Query: query, Remote: at, Peer: at, Headers: header.Values}
}

// decide returns the final verdict about a client.
func decide(t testing.TB, a *Authority, ap *Approach) Verdict {
	t.Helper()
	v := a.Identify(ap)
	if v.Later != nil {
		v = v.Later(t.Context())
	}
	return v
}

// enters returns the principal of a client that may enter.
func enters(t testing.TB, a *Authority, ap *Approach) *Principal {
	t.Helper()
	v := decide(t, a, ap)
	if v.Principal == nil {
		t.Fatalf("the client may not enter: %+v, %v", v, v.Refusal)
	}
	return v.Principal
}

// refused checks that a client is refused with a status and code, and in words.
func refused(t testing.TB, v Verdict, status int, code string) {
	t.Helper()
	if v.Refusal == nil || v.Principal != nil || v.Refusal.Status != status || v.Refusal.Code != code || len(v.Refusal.Reason) < 20 {
		t.Errorf("the verdict is %+v (%+v), want %d %s", v, v.Refusal, status, code)
	}
}

func TestAClientWithoutCredentialIsAnonymousIfThatIsAllowed(t *testing.T) {
	p := enters(t, newAuthority(t, Config{Anonymous: "viewer"}), approach(""))
	if p.Name != "" || p.Source != "anonymous" || p.Role != "viewer" || !p.Expires.IsZero() || p.Grants.View != nil {
		t.Errorf("it is %+v", p)
	}
	refused(t, decide(t, newAuthority(t, Config{}), approach("")), 401, "missing")
	_, hash := NewToken()
	withToken := newAuthority(t, Config{Tokens: []TokenConfig{{Name: "a", Hash: hash, Role: "viewer"}}})
	if v := withToken.Identify(approach("")); !v.Awaits || v.Principal != nil || v.Refusal != nil {
		t.Errorf("a client that may send its token later: %+v", v)
	}
}

func TestATokenIsTakenWhereverItTravels(t *testing.T) {
	token, hash := NewToken()
	a := newAuthority(t, Config{Anonymous: "viewer", Cookie: "session", TokenInURL: true,
		Tokens: []TokenConfig{{Name: "archiver", Hash: hash, Role: "observer"}}})
	r, _ := http.NewRequest("GET", "/", nil)
	r.SetBasicAuth("anything", token)
	withCookie := approach("", "Cookie: other=1; session="+token)
	withCookie.OriginAllowed = true
	withMessage := approach("")
	withMessage.Message = token
	for name, ap := range map[string]*Approach{
		"bearer":      approach("", "Authorization: Bearer "+token),
		"lower case":  approach("", "Authorization: bearer  "+token),
		"basic":       approach("", "Authorization: "+r.Header.Get("Authorization")),
		"subprotocol": approach("", "Sec-WebSocket-Protocol: clu-ws.v1, bearer."+token),
		"URL":         approach("x=1&token=" + token),
		"cookie":      withCookie,
		"message":     withMessage,
	} {
		p := enters(t, a, ap)
		if p.Name != "archiver" || p.Source != "token" || p.Role != "observer" || p.CredentialID == "" || !strings.HasPrefix(hash, "sha256:"+p.CredentialID) {
			t.Errorf("%s: it is %+v", name, p)
		}
	}
}

// Each of these was anonymous in some system that took a bad credential for none.
func TestAnInvalidCredentialIsNeverAnonymous(t *testing.T) {
	token, hash := NewToken()
	expired, expiredHash := NewToken()
	far, farHash := NewToken()
	a := newAuthority(t, Config{Anonymous: "viewer", Cookie: "session", Tokens: []TokenConfig{
		{Name: "a", Hash: hash, Role: "viewer"},
		{Name: "b", Hash: expiredHash, Role: "viewer", Expires: "2026-11-28"},
		{Name: "c", Hash: farHash, Role: "viewer", From: []string{"10.0.0.0/8"}},
	}})
	cookie := approach("", "Cookie: session=nonsense")
	cookie.OriginAllowed = true
	badMessage := approach("")
	badMessage.Message = "nonsense"
	for name, c := range map[string]struct {
		ap     *Approach
		status int
		code   string
	}{
		"unknown token":        {approach("", "Authorization: Bearer nonsense"), 401, "invalid"},
		"no token":             {approach("", "Authorization: Bearer"), 401, "invalid"},
		"empty field":          {approach("", "Authorization: "), 401, "invalid"},
		"unknown scheme":       {approach("", "Authorization: Digest x"), 401, "invalid"},
		"bad basic":            {approach("", "Authorization: Basic ###"), 401, "invalid"},
		"basic, no colon":      {approach("", "Authorization: Basic eA=="), 401, "invalid"},
		"empty subprotocol":    {approach("", "Sec-WebSocket-Protocol: clu, bearer."), 401, "invalid"},
		"another case":         {approach("", "Sec-WebSocket-Protocol: clu, BEARER.nonsense"), 401, "invalid"},
		"token and a blank":    {approach("", "Authorization: Bearer "+token+" x"), 401, "invalid"},
		"token in URL":         {approach("token=" + token), 401, "invalid"},
		"escaped name":         {approach("%74oken=" + token), 401, "invalid"},
		"empty token in URL":   {approach("token="), 401, "invalid"},
		"ticket, no callback":  {approach("ticket=abc"), 401, "invalid"},
		"signed, no secrets":   {approach("m=abc"), 403, "invalid"},
		"bad escape":           {approach("m=%zz"), 400, "invalid"},
		"cookie":               {cookie, 401, "invalid"},
		"message":              {badMessage, 401, "invalid"},
		"expired":              {approach("", "Authorization: Bearer "+expired), 401, "expired"},
		"from another network": {approach("", "Authorization: Bearer "+far), 403, "address"},
		"two fields":           {approach("", "Authorization: Bearer "+token, "Authorization: Bearer "+token), 400, "several"},
		"field and protocol":   {approach("", "Authorization: Bearer "+token, "Sec-WebSocket-Protocol: bearer."+token), 400, "several"},
		"field and URL":        {approach("m=x", "Authorization: Bearer "+token), 400, "several"},
		"twice in URL":         {approach("m=x&m=x"), 400, "several"},
	} {
		v := decide(t, a, c.ap)
		if v.Refusal == nil || v.Refusal.Status != c.status || v.Refusal.Code != c.code {
			t.Errorf("%s: %+v %+v", name, v, v.Refusal)
			continue
		}
		for _, secret := range []string{token, expired, far, "nonsense"} {
			if strings.Contains(v.Refusal.Error(), secret) {
				t.Errorf("%s: the refusal has the credential: %s", name, v.Refusal.Reason)
			}
		}
	}
}

func TestAHeaderOverridesACookieWhichNeedsAnAllowedOrigin(t *testing.T) {
	token, hash := NewToken()
	other, otherHash := NewToken()
	a := newAuthority(t, Config{Anonymous: "viewer", Cookie: "session", TokenInURL: true, Tokens: []TokenConfig{
		{Name: "header", Hash: hash, Role: "observer"}, {Name: "cookie", Hash: otherHash, Role: "observer"},
	}})
	ap := approach("", "Cookie: session="+other, "Authorization: Bearer "+token)
	ap.OriginAllowed = true
	if p := enters(t, a, ap); p.Name != "header" {
		t.Errorf("with both it is %s", p.Name)
	}
	if p := enters(t, a, approach("", "Cookie: session="+other)); p.Source != "anonymous" {
		t.Errorf("a cookie of a foreign page is taken: %+v", p)
	}
	ap = approach("token="+token, "Cookie: session="+other)
	ap.OriginAllowed = true
	refused(t, decide(t, a, ap), 400, "several")
	ap = approach("", "Cookie: x y=1; session="+other+"; a=b")
	ap.OriginAllowed = true
	if p := enters(t, a, ap); p.Name != "cookie" {
		t.Errorf("behind a malformed cookie it is %+v", p)
	}
}

func TestTokensAreBoundToNetworksAndTimes(t *testing.T) {
	near, nearHash := NewToken()
	later, laterHash := NewToken()
	a := newAuthority(t, Config{Tokens: []TokenConfig{
		{Name: "near", Hash: nearHash, Role: "viewer", From: []string{"2001:db8::/32", "192.0.2.1"}},
		{Name: "later", Hash: laterHash, Role: "viewer", Expires: "2026-11-28T12:00:01Z"},
	}})
	enters(t, a, approach("", "Authorization: Bearer "+near))
	mapped := approach("", "Authorization: Bearer "+near)
	mapped.Remote = netip.MustParseAddrPort("[::ffff:192.0.2.1]:1")
	enters(t, a, mapped)
	mapped.Remote = netip.AddrPort{} // a Unix socket
	refused(t, decide(t, a, mapped), 403, "address")
	if p := enters(t, a, approach("", "Authorization: Bearer "+later)); !p.Expires.Equal(testNow.Add(time.Second)) {
		t.Errorf("it expires at %v", p.Expires)
	}
}

func TestWrongConfigurationsAreRefusedWithAllPlaces(t *testing.T) {
	_, hash := NewToken()
	secret, _ := NewToken()
	cfg := Config{
		Roles:     map[string]json.RawMessage{"viewer": json.RawMessage(`{"hear": [{"sender": null}]}`), "own": testRoles["own"]},
		Anonymous: "own",
		Tokens: []TokenConfig{
			{Name: "a", Hash: hash, Role: "viewer"}, {Name: "b", Hash: hash, Role: "viewer"},
			{Hash: hash, Role: "viewer"}, {Name: "c", Hash: secret, Role: "viewer"}, {Name: "d", Hash: hash},
			{Name: "e", Hash: HashToken("e"), Role: "nobody"}, {Name: "f", Hash: HashToken("f"), Role: "viewer", From: []string{"10.0.0.0/8", "here"}},
			{Name: "g", Hash: HashToken("g"), Role: "viewer", Expires: "tomorrow"}, {Name: "x/y", Hash: HashToken("h"), Role: "own"},
			{Name: "a\nb", Hash: HashToken("i"), Role: "viewer"}, {Name: "h", Hash: HashToken("j"), Role: "viewer", From: []string{}},
		},
		Cookie:       "a b",
		Certificates: map[string]string{"archiver": "viewer", "CN=b": "nobody"},
		Unix:         Assignments{{"obs", "viewer"}, {"user:obs", "nobody"}},
		Proxy:        &ProxyConfig{From: []string{"proxy"}, Groups: "X Groups", Role: "nobody", Address: "X-Real-IP"},
		Signed:       &SignedConfig{Secrets: "missing.json", Name: "n"},
		Revoked:      []Revocation{{}, {Name: "a", IssuedBefore: "yesterday"}},
	}
	_, err := New(cfg, Options{Secret: os.ReadFile})
	if err == nil {
		t.Fatal("it is accepted")
	}
	want := []string{"anonymous", "certificates", "certificates.CN=b", "certificates.archiver", "cookie", "proxy.address", "proxy.from[0]", "proxy.groups", "proxy.role",
		"proxy.user", "revoked[0]", "revoked[1].issued-before", "roles.viewer.hear[0].sender", "signed.secrets", "tokens[10].from", "tokens[1].hash", "tokens[2].name",
		"tokens[3].hash", "tokens[4].role", "tokens[5].role", "tokens[6].from[1]", "tokens[7].expires", "tokens[8].name", "tokens[9].name", "unix.obs", "unix.user:obs"}
	got := paths(err)
	if !slices.Equal(got, want) {
		t.Errorf("the errors are at %q, want %q", got, want)
	}
	if strings.Contains(err.Error(), secret) {
		t.Error("an error has the token that stands in place of its hash")
	}
}

// paths returns the places of joined errors, sorted.
func paths(err error) (all []string) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			all = append(all, paths(e)...)
		}
	} else if at := (*PathError)(nil); errors.As(err, &at) {
		all = append(all, at.Path)
	} else {
		all = append(all, "?"+err.Error())
	}
	slices.Sort(all)
	return all
}

func TestAnAuthorityNeedsNothingOfItsSurroundings(t *testing.T) {
	token, hash := NewToken()
	old, oldHash := NewToken()
	now := time.Now().UTC()
	a, err := New(withRoles(Config{
		Signed: &SignedConfig{Secrets: secretsFile(t, "", testKey, ""), Name: "s"},
		Tokens: []TokenConfig{
			{Name: "a", Hash: hash, Role: "viewer", Expires: now.Add(time.Hour).Format(time.RFC3339)},
			{Name: "b", Hash: oldHash, Role: "viewer", Expires: now.Add(-time.Hour).Format(time.RFC3339)},
		},
	}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	enters(t, a, approach("", "Authorization: Bearer "+token))
	refused(t, decide(t, a, approach("", "Authorization: Bearer "+old)), 401, "expired")
	refused(t, decide(t, a, signedApproach("/live/t3_abc123", signedLive)), 403, "expired")
}
