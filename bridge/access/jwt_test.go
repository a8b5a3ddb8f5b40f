package access

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func verify(t testing.TB, s *jwtSource, token string) Verdict {
	t.Helper()
	v, _ := s.verify(t.Context(), token)
	if (v.Principal == nil) == (v.Refusal == nil) {
		t.Fatalf("the verdict is %+v", v)
	}
	if v.Refusal != nil && len(token) > 0 && strings.Contains(v.Refusal.Reason, token) {
		t.Fatalf("the reason has the token: %s", v.Refusal.Reason)
	}
	return v
}

// code returns the reason of a refusal in a word, or "" for a principal.
func code(v Verdict) string {
	if v.Refusal == nil {
		return ""
	}
	return v.Refusal.Code
}

func TestATokenOfEachAlgorithmNamesItsBearer(t *testing.T) {
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			issuer, key := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, alg, "k1")
			issuer.publish(key)
			s := newTestJWT(t, &testClock{}, issuer.config(alg))
			p := verify(t, s, key.sign(t, issuer.claims(nil), nil)).Principal
			if p == nil || p.Name != "ada" || p.Source != "jwt" || p.Role != "observer" || p.CredentialID != "42" ||
				!p.Expires.Equal(testNow.Add(time.Hour+jwtLeeway)) || !p.IssuedAt.Equal(testNow.Add(-time.Minute)) {
				t.Fatalf("the principal is %+v", p)
			}
			if !p.Decide(Request{Door: EnterRoom, Room: "/users/ada/x"}).Allowed || p.Decide(Request{Door: EnterRoom, Room: "/users/bob/x"}).Allowed {
				t.Errorf("the grants are %s", p.Grants.JSON())
			}
		})
	}
}

func TestATokenWithASharedSecretNamesItsBearer(t *testing.T) {
	secret := strings.Repeat("s", secretMinLength)
	o := testOptions(&testClock{}, nil)
	o.Secret = func(path string) ([]byte, error) { return []byte(secret + "\n"), nil }
	s, err := newJWT([]JWTConfig{{Issuer: "app", Audience: "clu-ws", Algorithms: []string{"HS256"}, Secret: "file:key", Role: "viewer"}}, parsedRoles(t), nil, o)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(key string) string {
		signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": "app", "aud": "clu-ws", "sub": "ada", "exp": testNow.Add(time.Hour).Unix()}).SignedString([]byte(key))
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	if p := verify(t, s, sign(secret)).Principal; p == nil || p.Role != "viewer" || !strings.HasPrefix(p.CredentialID, "sha256:") {
		t.Errorf("the principal is %+v", p)
	}
	if got := code(verify(t, s, sign(secret+"\n"))); got != "signature" {
		t.Errorf("another secret: %q", got)
	}
}

// Each line is an attack on, or a mistake in, verification that was found in some library or
// service.
func TestATokenThatIsNotValidIsRefusedInWords(t *testing.T) {
	issuer, key := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "RS256", "k1")
	foreign := newIssuerKey(t, "ES256", "k1")
	issuer.publish(key)
	s := newTestJWT(t, &testClock{}, issuer.config("RS256"))
	at := func(d time.Duration) int64 { return testNow.Add(d).Unix() }
	good := key.sign(t, issuer.claims(nil), nil)
	parts := strings.Split(good, ".")
	raw := func(v any) string {
		text, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	pem := "-----BEGIN PUBLIC KEY-----" // an attacker signs with what everybody can read
	confused, _ := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(issuer.claims(nil))).SignedString([]byte(pem))
	for name, c := range map[string]struct{ token, code string }{
		"good":                            {good, ""},
		"no signature":                    {raw(map[string]string{"alg": "none"}) + "." + parts[1] + ".", "algorithm"},
		"no signature, in capitals":       {raw(map[string]string{"alg": "NONE"}) + "." + parts[1] + ".", "malformed"},
		"no algorithm":                    {raw(map[string]string{"kid": "k1"}) + "." + parts[1] + "." + parts[2], "malformed"},
		"the public key as a secret":      {confused, "algorithm"},
		"another algorithm of the key":    {issuerKey{"k1", jwt.SigningMethodRS512, key.key}.sign(t, issuer.claims(nil), nil), "algorithm"},
		"another key of the same id":      {foreign.sign(t, issuer.claims(nil), nil), "algorithm"},
		"a changed claim":                 {parts[0] + "." + raw(issuer.claims(map[string]any{"sub": "bob"})) + "." + parts[2], "signature"},
		"no signature part":               {parts[0] + "." + parts[1] + ".", "signature"},
		"two parts":                       {parts[0] + "." + parts[1], "malformed"},
		"four parts":                      {good + ".x", "malformed"},
		"rubbish":                         {"a.b.c", "malformed"},
		"empty":                           {"", "malformed"},
		"too long":                        {strings.Repeat("x", jwtMaxLength) + good, "malformed"},
		"a critical extension":            {key.sign(t, issuer.claims(nil), map[string]any{"crit": []string{"b64"}}), "malformed"},
		"an id of a key that is a number": {key.sign(t, issuer.claims(nil), map[string]any{"kid": 1}), "key"},
		"no id of a key":                  {key.sign(t, issuer.claims(nil), map[string]any{"kid": nil}), ""},
		"expired":                         {key.sign(t, issuer.claims(map[string]any{"exp": at(-31 * time.Second)}), nil), "expired"},
		"expired, within leeway":          {key.sign(t, issuer.claims(map[string]any{"exp": at(-29 * time.Second)}), nil), ""},
		"never expires":                   {key.sign(t, issuer.claims(map[string]any{"exp": nil}), nil), "claims"},
		"expires as text":                 {key.sign(t, issuer.claims(map[string]any{"exp": "tomorrow"}), nil), "malformed"},
		"not yet":                         {key.sign(t, issuer.claims(map[string]any{"nbf": at(31 * time.Second)}), nil), "early"},
		"not yet, within leeway":          {key.sign(t, issuer.claims(map[string]any{"nbf": at(29 * time.Second)}), nil), ""},
		"issued later":                    {key.sign(t, issuer.claims(map[string]any{"iat": at(31 * time.Second)}), nil), "early"},
		"issued later, within leeway":     {key.sign(t, issuer.claims(map[string]any{"iat": at(29 * time.Second)}), nil), ""},
		"not issued, says nothing":        {key.sign(t, issuer.claims(map[string]any{"iat": nil}), nil), ""},
		"another audience":                {key.sign(t, issuer.claims(map[string]any{"aud": "mail"}), nil), "audience"},
		"no audience":                     {key.sign(t, issuer.claims(map[string]any{"aud": nil}), nil), "claims"},
		"several audiences":               {key.sign(t, issuer.claims(map[string]any{"aud": []string{"mail", "clu-ws"}}), nil), ""},
		"another issuer":                  {key.sign(t, issuer.claims(map[string]any{"iss": "https://evil.example"}), nil), "issuer"},
		"an issuer that begins alike":     {key.sign(t, issuer.claims(map[string]any{"iss": issuer.URL + "/"}), nil), "issuer"},
		"no issuer":                       {key.sign(t, issuer.claims(map[string]any{"iss": nil}), nil), "issuer"},
		"no name":                         {key.sign(t, issuer.claims(map[string]any{"sub": nil}), nil), "name"},
		"a name that is a number":         {key.sign(t, issuer.claims(map[string]any{"sub": 7}), nil), "name"},
		"a name with a line break":        {key.sign(t, issuer.claims(map[string]any{"sub": "a\nb"}), nil), "name"},
		"a name that widens a pattern":    {key.sign(t, issuer.claims(map[string]any{"sub": "*"}), nil), "no_role"},
		"no group with a role":            {key.sign(t, issuer.claims(map[string]any{"groups": []string{"staff"}}), nil), "no_role"},
	} {
		if got := code(verify(t, s, c.token)); got != c.code {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
}

// The keys come from the address of the configuration. What a token says of keys, or of its issuer,
// leads nowhere.
func TestATokenCannotSayWhereItsKeysAre(t *testing.T) {
	evil := newTestIssuer(t, httptest.NewServer)
	issuer, key, forged := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "ES256", "k1"), newIssuerKey(t, "ES256", "k1")
	issuer.publish(key)
	evil.publish(forged)
	s := newTestJWT(t, &testClock{}, issuer.config("ES256"))
	jwk, err := json.Marshal(forged.public().Marshal())
	if err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]map[string]any{
		"jku": {"jku": evil.URL + "/keys"}, "x5u": {"x5u": evil.URL + "/keys"}, "jwk": {"jwk": json.RawMessage(jwk)},
		"kid": {"kid": evil.URL + "/keys"}, "path": {"kid": "../../../../dev/null"},
	} {
		if got := code(verify(t, s, forged.sign(t, issuer.claims(nil), header))); got != "signature" && got != "key" && got != "unknown" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := code(verify(t, s, forged.sign(t, issuer.claims(map[string]any{"iss": evil.URL}), nil))); got != "issuer" {
		t.Errorf("its own issuer: %q", got)
	}
	if n := evil.asked.Load(); n != 0 {
		t.Errorf("the attacker's server was asked %d times", n)
	}
}

// A cache that is keyed by the id of a key alone takes the key of one issuer for that of another.
func TestTheSameIDAtAnotherIssuerIsAnotherKey(t *testing.T) {
	one, other := newTestIssuer(t, httptest.NewServer), newTestIssuer(t, httptest.NewServer)
	key, otherKey := newIssuerKey(t, "EdDSA", "k1"), newIssuerKey(t, "EdDSA", "k1")
	one.publish(key)
	other.publish(otherKey)
	s := newTestJWT(t, &testClock{}, one.config("EdDSA"), other.config("EdDSA"))
	for range 2 {
		if v := verify(t, s, key.sign(t, one.claims(nil), nil)); v.Principal == nil {
			t.Errorf("the first issuer: %+v", v.Refusal)
		}
		if v := verify(t, s, otherKey.sign(t, other.claims(nil), nil)); v.Principal == nil {
			t.Errorf("the second issuer: %+v", v.Refusal)
		}
		if got := code(verify(t, s, key.sign(t, other.claims(nil), nil))); got != "signature" {
			t.Errorf("the first issuer's key for the second: %q", got)
		}
	}
}

func TestTokensForTwoAudiencesOfOneIssuerHaveTheirOwnRoles(t *testing.T) {
	issuer, key := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "EdDSA", "k1")
	issuer.publish(key)
	public := issuer.config("EdDSA")
	public.Audience, public.Roles, public.Role = "public", nil, "viewer"
	s := newTestJWT(t, &testClock{}, issuer.config("EdDSA"), public)
	for audience, role := range map[string]string{"clu-ws": "observer", "public": "viewer"} {
		if p := verify(t, s, key.sign(t, issuer.claims(map[string]any{"aud": audience}), nil)).Principal; p == nil || p.Role != role {
			t.Errorf("%s: %+v", audience, p)
		}
	}
}

func TestTheClaimCLUHasGrants(t *testing.T) {
	issuer, key := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "EdDSA", "k1")
	issuer.publish(key)
	s := newTestJWT(t, &testClock{}, issuer.config("EdDSA"))
	grants := map[string]any{"command": []any{map[string]any{"consumer": "mount"}}, "limits": map[string]any{"connections": 2}}
	p := verify(t, s, key.sign(t, issuer.claims(map[string]any{"clu": grants}), nil)).Principal
	if p == nil || p.Role != "" || p.Grants.Limits.Connections != 2 ||
		!p.Decide(Request{Door: SendCommand, Consumer: "mount", CommandString: "go"}).Allowed || p.Decide(Request{Door: SendCommand, Consumer: "dome", CommandString: "go"}).Allowed {
		t.Errorf("the principal is %+v", p)
	}
	v := verify(t, s, key.sign(t, issuer.claims(map[string]any{"clu": map[string]any{"comand": nil}}), nil))
	if code(v) != "grants" || v.Refusal.Status != http.StatusForbidden || !strings.Contains(v.Refusal.Reason, "comand") {
		t.Errorf("a mistake in it: %+v", v)
	}
}

// Whatever is shown instead of the token that the issuer signed, nobody enters.
func FuzzOnlyTheSignedTokenEnters(f *testing.F) {
	issuer, key := newTestIssuer(f, httptest.NewServer), newIssuerKey(f, "EdDSA", "k1")
	issuer.publish(key)
	s := newTestJWT(f, &testClock{}, issuer.config("EdDSA"))
	good := key.sign(f, issuer.claims(nil), nil)
	parts := strings.Split(good, ".")
	f.Add(good)
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".")
	f.Add(parts[0] + "." + parts[1] + "." + parts[2] + "=")
	f.Add(parts[0] + ".." + parts[2])
	f.Fuzz(func(t *testing.T, token string) {
		v, _ := s.verify(t.Context(), token)
		if (v.Principal == nil) == (v.Refusal == nil) || v.Principal != nil && token != good {
			t.Fatalf("%q: %+v, %v", token, v.Principal, v.Refusal)
		}
	})
}
