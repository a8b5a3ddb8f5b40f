package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// testIssuer is an issuer in the manner of OpenID Connect: it has a discovery document, signs
// tokens, and publishes its keys at /keys.
type testIssuer struct {
	*httptest.Server
	asked atomic.Int64 // requests for the keys

	mu     sync.Mutex // guards the following fields
	keys   []jwkset.JWK
	status int // other than 200: the issuer is down
	body   string
}

func newTestIssuer(t testing.TB, start func(http.Handler) *httptest.Server) *testIssuer {
	t.Helper()
	i := &testIssuer{status: http.StatusOK}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/keys"})
	})
	mux.HandleFunc("GET /keys", i.serveKeys)
	i.Server = start(mux)
	t.Cleanup(i.Close)
	return i
}

func (i *testIssuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	i.asked.Add(1)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.status != http.StatusOK {
		http.Error(w, "down", i.status)
		return
	}
	if i.body != "" {
		_, _ = w.Write([]byte(i.body))
		return
	}
	set := jwkset.JWKSMarshal{}
	for _, key := range i.keys {
		set.Keys = append(set.Keys, key.Marshal())
	}
	_ = json.NewEncoder(w).Encode(set)
}

// publish replaces the published keys.
func (i *testIssuer) publish(keys ...issuerKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = nil
	for _, key := range keys {
		i.keys = append(i.keys, key.public())
	}
}

// answer makes the issuer answer with a status, or with another body.
func (i *testIssuer) answer(status int, body string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.status, i.body = status, body
}

// issuerKey is a key that an issuer signs with.
type issuerKey struct {
	id     string
	method jwt.SigningMethod
	key    crypto.Signer
}

// The keys are made once: those of RSA take a while.
var newIssuerKey = func() func(t testing.TB, alg, id string) issuerKey {
	rsaKeys := sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	return func(t testing.TB, alg, id string) issuerKey {
		t.Helper()
		k := issuerKey{id: id, method: jwt.GetSigningMethod(alg)}
		var err error
		switch alg {
		case "RS256", "RS512", "PS256":
			k.key, err = rsaKeys()
		case "ES256":
			k.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		case "ES384":
			k.key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		case "EdDSA":
			_, k.key, err = ed25519.GenerateKey(rand.Reader)
		}
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
}()

func (k issuerKey) public() jwkset.JWK {
	jwk, err := jwkset.NewJWKFromKey(k.key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: k.id, USE: jwkset.UseSig}})
	if err != nil {
		panic(err)
	}
	return jwk
}

// sign signs claims; header replaces or removes (nil) what the header has.
func (k issuerKey) sign(t testing.TB, claims, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(k.method, jwt.MapClaims(claims))
	token.Header["kid"] = k.id
	for name, value := range header {
		if token.Header[name] = value; value == nil {
			delete(token.Header, name)
		}
	}
	signed, err := token.SignedString(k.key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// claims returns those of a good token of the issuer, with changes; nil removes one.
func (i *testIssuer) claims(changes map[string]any) map[string]any {
	all := map[string]any{
		"iss": i.URL, "aud": "clu-ws", "sub": "ada", "jti": "42", "groups": []string{"staff", "observers"},
		"iat": testNow.Add(-time.Minute).Unix(), "nbf": testNow.Add(-time.Minute).Unix(), "exp": testNow.Add(time.Hour).Unix(),
	}
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

func (i *testIssuer) config(algorithms ...string) JWTConfig {
	return JWTConfig{
		Issuer: i.URL, Audience: "clu-ws", Algorithms: algorithms, JWKS: i.URL + "/keys",
		Roles: Assignments{{"groups:observers", "observer"}},
	}
}

// testClock is a clock that begins at testNow.
type testClock struct{ testkit.Clock }

func (c *testClock) Now() time.Time { return testNow.Add(c.Clock.Now().Sub(time.Unix(0, 0))) }

func parsedRoles(t testing.TB) map[string]*Grants {
	t.Helper()
	roles := map[string]*Grants{}
	for name, text := range map[string]string{
		"viewer":   `{"hear": [{}]}`,
		"observer": `{"hear": [{}], "rooms": ["/users/${name}/**"], "command": [{"consumer": "dome"}]}`,
	} {
		g, err := ParseGrants([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		roles[name] = g
	}
	return roles
}

func testOptions(clock *testClock, log slog.Handler) Options {
	if log == nil {
		log = slog.DiscardHandler
	}
	return Options{Now: clock.Now, Logger: slog.New(log)}
}

// newTestJWT returns a source for issuers, on the clock.
func newTestJWT(t testing.TB, clock *testClock, cfgs ...JWTConfig) *jwtSource {
	t.Helper()
	s, err := newJWT(cfgs, parsedRoles(t), nil, testOptions(clock, nil))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.closeIdle)
	return s
}

func (s *jwtSource) closeIdle() {
	for _, all := range s.issuers {
		for _, i := range all {
			if i.keys != nil {
				i.keys.client.CloseIdleConnections()
			}
		}
	}
}
