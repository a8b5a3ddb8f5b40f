package access

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestAKeyThatIsNewAtTheIssuerIsFetchedAtOnce(t *testing.T) {
	var clock testClock
	issuer, before, after := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "RS256", "k1"), newIssuerKey(t, "ES256", "k2")
	issuer.publish(before)
	s := newTestJWT(t, &clock, issuer.config("RS256", "ES256"))
	if v := verify(t, s, before.sign(t, issuer.claims(nil), nil)); v.Principal == nil {
		t.Fatal(v.Refusal)
	}
	clock.Pass(keysMinAge)
	issuer.publish(after)
	if v := verify(t, s, after.sign(t, issuer.claims(nil), nil)); v.Principal == nil {
		t.Errorf("the new key: %v", v.Refusal)
	}
	if got := code(verify(t, s, before.sign(t, issuer.claims(nil), nil))); got != "unknown" { // may not be asked for yet
		t.Errorf("the old key at once: %q", got)
	}
	clock.Pass(keysMinAge)
	if got := code(verify(t, s, before.sign(t, issuer.claims(nil), nil))); got != "key" {
		t.Errorf("the old key: %q", got)
	}
	if n := issuer.asked.Load(); n != 3 {
		t.Errorf("the issuer was asked %d times", n)
	}
}

// Ids that an attacker makes up must neither flood the issuer, nor hide that a key is new there.
func TestUnknownKeysAskAtABoundedRate(t *testing.T) {
	var clock testClock
	issuer, key, made := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "EdDSA", "k1"), newIssuerKey(t, "EdDSA", "made up")
	issuer.publish(key)
	s := newTestJWT(t, &clock, issuer.config("EdDSA"))
	for n := range 100 {
		made.id = strings.Repeat("x", n)
		if got := code(verify(t, s, made.sign(t, issuer.claims(nil), nil))); got != "key" && got != "unknown" && got != "signature" {
			t.Fatalf("id %d: %q", n, got)
		}
	}
	if n := issuer.asked.Load(); n != 1 {
		t.Errorf("the issuer was asked %d times for 100 ids within no time", n)
	}
	rotated := newIssuerKey(t, "EdDSA", "k2")
	issuer.publish(rotated)
	v := verify(t, s, rotated.sign(t, issuer.claims(nil), nil))
	if code(v) != "unknown" || v.Refusal.Status != http.StatusServiceUnavailable || v.Refusal.RetryAfter < keysMinAge || v.Refusal.RetryAfter > 2*keysMinAge {
		t.Errorf("a new key between two questions: %+v", v.Refusal)
	}
	clock.Pass(keysMinAge)
	if v := verify(t, s, rotated.sign(t, issuer.claims(nil), nil)); v.Principal == nil {
		t.Errorf("when it may be asked again: %+v", v.Refusal)
	}
}

// A client that comes back with the same old token for ever is told no, not to come again.
func TestATokenOfAKeyThatIsGoneIsRefusedEachTime(t *testing.T) {
	var clock testClock
	issuer, key, gone := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "EdDSA", "k2"), newIssuerKey(t, "EdDSA", "k1")
	issuer.publish(key)
	s := newTestJWT(t, &clock, issuer.config("EdDSA"))
	token := gone.sign(t, issuer.claims(nil), nil)
	for range 20 {
		if v := verify(t, s, token); code(v) != "key" || v.Refusal.Status != http.StatusUnauthorized {
			t.Fatalf("%+v", v.Refusal)
		}
		clock.Pass(keysMinAge / 5)
	}
}

func TestAnIssuerThatIsDownIsUnknownUntilItIsBack(t *testing.T) {
	var clock testClock
	var log bytes.Buffer
	issuer, key := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "EdDSA", "k1")
	issuer.publish(key)
	issuer.answer(http.StatusBadGateway, "")
	s, err := newJWT([]JWTConfig{issuer.config("EdDSA")}, parsedRoles(t), nil, testOptions(&clock, slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.closeIdle)
	token := key.sign(t, issuer.claims(nil), nil)
	for range 3 {
		if v := verify(t, s, token); code(v) != "unknown" || v.Refusal.RetryAfter < unknownRetry {
			t.Fatalf("down at the start: %+v", v)
		}
	}
	issuer.answer(http.StatusOK, "")
	clock.Pass(keysRetry)
	if v := verify(t, s, token); v.Principal == nil {
		t.Errorf("back: %+v", v.Refusal)
	}
	issuer.answer(http.StatusBadGateway, "")
	clock.Pass(time.Hour)
	keys := s.issuers[issuer.URL][0].keys
	keys.refresh(t.Context())
	fresh := key.sign(t, issuer.claims(map[string]any{"exp": testNow.Add(48 * time.Hour).Unix()}), nil)
	if v := verify(t, s, fresh); v.Principal == nil {
		t.Errorf("down again: what is known must do: %+v", v.Refusal)
	}
	clock.Pass(keysMaxAge)
	if v := verify(t, s, fresh); code(v) != "unknown" {
		t.Errorf("for more than a day: %+v", v)
	}
	if text := log.String(); strings.Count(text, "cannot fetch") != 2 || strings.Count(text, "again") < 1 || strings.Contains(text, token) {
		t.Errorf("the log has\n%s", text)
	}
}

// 1,000 clients that come together while the issuer is asked wait for one answer.
func TestThoseWhoComeTogetherAskOnce(t *testing.T) {
	var clock testClock
	key := newIssuerKey(t, "EdDSA", "k1")
	arrived, answer := make(chan struct{}, 1), make(chan struct{})
	issuer := newTestIssuer(t, func(h http.Handler) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			arrived <- struct{}{}
			<-answer
			h.ServeHTTP(w, r)
		}))
	})
	issuer.publish(key)
	s := newTestJWT(t, &clock, issuer.config("EdDSA"))
	s.issuers[issuer.URL][0].keys.client.Timeout = testkit.Patience // until all have come
	token := key.sign(t, issuer.claims(nil), nil)
	gone, leave := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	first := make(chan Verdict, 1)
	clients.Go(func() { v, _ := s.verify(gone, token); first <- v })
	testkit.Receive(t, arrived)
	verdicts := make(chan Verdict, 1000)
	for range cap(verdicts) {
		clients.Go(func() { v, _ := s.verify(t.Context(), token); verdicts <- v })
	}
	leave() // the first is gone; the others need the answer
	close(answer)
	clients.Wait()
	for range cap(verdicts) {
		if v := testkit.Receive(t, verdicts); v.Principal == nil {
			t.Fatal(v.Refusal)
		}
	}
	if n := issuer.asked.Load(); n != 1 {
		t.Errorf("the issuer was asked %d times", n)
	}
}

func TestKeysAreFetchedOverTLS(t *testing.T) {
	var clock testClock
	issuer, key := newTestIssuer(t, httptest.NewTLSServer), newIssuerKey(t, "ES256", "k1")
	issuer.publish(key)
	token := key.sign(t, issuer.claims(nil), nil)
	s := newTestJWT(t, &clock, issuer.config("ES256"))
	if got := code(verify(t, s, token)); got != "unknown" {
		t.Errorf("a certificate that nobody signed: %q", got)
	}
	clock.Pass(keysRetry)
	transport := s.issuers[issuer.URL][0].keys.client.Transport.(*http.Transport)
	transport.TLSClientConfig = issuer.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	if v := verify(t, s, token); v.Principal == nil {
		t.Errorf("a certificate of a known authority: %v", v.Refusal)
	}
}

// Keys come from the configured address only: a redirect could lead to those of anybody.
func TestKeysDoNotComeFromElsewhere(t *testing.T) {
	var clock testClock
	evil, forged := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "EdDSA", "k1")
	evil.publish(forged)
	issuer := newTestIssuer(t, func(http.Handler) *httptest.Server {
		return httptest.NewServer(http.RedirectHandler(evil.URL+"/keys", http.StatusFound))
	})
	s := newTestJWT(t, &clock, issuer.config("EdDSA"))
	if got := code(verify(t, s, forged.sign(t, issuer.claims(nil), nil))); got != "unknown" || evil.asked.Load() != 0 {
		t.Errorf("%q, and the other server was asked %d times", got, evil.asked.Load())
	}
}

func TestUnusableAnswersOfAnIssuerKeepWhatIsKnown(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak := issuerKey{"k1", jwt.SigningMethodRS256, small}.public().Marshal()
	secret := `{"kty":"oct","kid":"k1","k":"c2VjcmV0"}`
	weakText, _ := json.Marshal(weak)
	curve, _ := json.Marshal(newIssuerKey(t, "ES384", "k1").public().Marshal())
	for name, body := range map[string]string{
		"no JSON": "<html>", "no keys": `{}`, "none left": `{"keys":[]}`, "a list": `[]`, "too long": strings.Repeat(" ", keysMaxSize) + `{"keys":[]}`,
		"a weak key": `{"keys":[` + string(weakText) + `]}`, "a secret": `{"keys":[` + secret + `]}`, "another curve": `{"keys":[` + string(curve) + `]}`,
		"rubbish for a key": `{"keys":[1,null,"x",{"kty":"RSA"}]}`,
	} {
		var clock testClock
		issuer, key := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "EdDSA", "k1")
		issuer.publish(key)
		s := newTestJWT(t, &clock, issuer.config("RS256", "EdDSA", "ES256"))
		keys := s.issuers[issuer.URL][0].keys
		keys.refresh(t.Context())
		issuer.answer(http.StatusOK, body)
		clock.Pass(keysRefresh)
		if wait := keys.refresh(t.Context()); wait > keysRetry {
			t.Errorf("%s: tries again in %v", name, wait)
		}
		if v := verify(t, s, key.sign(t, issuer.claims(nil), nil)); v.Principal == nil {
			t.Errorf("%s: %v", name, v.Refusal)
		}
	}
}

// Real issuers publish keys for encryption, with certificates, and of kinds that are not known.
func TestAKeySetLikeKeycloaksIsRead(t *testing.T) {
	signing, encryption := newIssuerKey(t, "RS256", "sig"), newIssuerKey(t, "RS256", "enc")
	enc := encryption.public().Marshal()
	enc.USE, enc.ALG = "enc", "RSA-OAEP"
	sig := signing.public().Marshal()
	sig.ALG, sig.X5U = "RS256", "http://127.0.0.1:1/never-fetched"
	set, _ := json.Marshal(map[string]any{"keys": []any{
		enc, sig, map[string]string{"kty": "OKP", "crv": "Ed448", "x": "AAAA", "kid": "ed448"}, map[string]string{"kty": "new"},
	}})
	keys, err := parseKeys(set)
	if err != nil {
		t.Fatal(err)
	}
	for id, usable := range map[string]bool{"sig": true, "enc": false, "ed448": false} {
		token := &jwt.Token{Method: jwt.SigningMethodRS256, Header: map[string]any{"alg": "RS256", "kid": id}}
		if _, err := keys.Keyfunc(token); (err == nil) != usable {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func FuzzKeySetsNeverPanic(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"k1","use":"sig"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parseKeys(text)
		if err != nil {
			return
		}
		all, err := keys.Storage().KeyReadAll(t.Context())
		if err != nil || len(all) == 0 {
			t.Fatalf("%d keys, %v", len(all), err)
		}
		for _, key := range all {
			if !canVerify(key.Key()) || key.Marshal().KTY == jwkset.KtyOct {
				t.Fatalf("a key that cannot verify: %v", key.Marshal())
			}
		}
	})
}

// roundTrip stands for an issuer where there is no network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestKeysAreRefreshedInTheBackground(t *testing.T) {
	testkit.Bubble(t, func(t *testing.T) {
		key := newIssuerKey(t, "EdDSA", "k1")
		o := Options{Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
		s, err := newJWT([]JWTConfig{{Issuer: "i", Audience: "a", Algorithms: []string{"EdDSA"}, JWKS: "https://idp.example/keys"}}, parsedRoles(t), nil, o)
		if err != nil {
			t.Fatal(err)
		}
		var asked atomic.Int64
		var up atomic.Bool
		s.issuers["i"][0].keys.client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			asked.Add(1)
			w := httptest.NewRecorder()
			if !up.Load() {
				w.WriteHeader(http.StatusBadGateway)
			} else {
				_ = json.NewEncoder(w).Encode(jwkset.JWKSMarshal{Keys: []jwkset.JWKMarshal{key.public().Marshal()}})
			}
			return w.Result(), nil
		})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.run(ctx) })
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := asked.Load(); n < 10 || n > 25 {
			t.Errorf("an issuer that is down was asked %d times in 10 minutes", n)
		}
		up.Store(true)
		asked.Store(0)
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := asked.Load(); n < 12 || n > 16 {
			t.Errorf("an issuer that is up was asked %d times in an hour", n)
		}
		stop()
		running.Wait()
	})
}

func TestAReloadKeepsTheKeysOfAnIssuer(t *testing.T) {
	var clock testClock
	issuer, key := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "EdDSA", "k1")
	issuer.publish(key)
	s := newTestJWT(t, &clock, issuer.config("EdDSA"))
	p := verify(t, s, key.sign(t, issuer.claims(nil), nil)).Principal
	issuer.Close()
	cfg := issuer.config("EdDSA")
	cfg.Roles = Assignments{{"groups:staff", "viewer"}}
	later, err := newJWT([]JWTConfig{cfg}, parsedRoles(t), s, testOptions(&clock, nil))
	if err != nil {
		t.Fatal(err)
	}
	if v := verify(t, later, key.sign(t, issuer.claims(nil), nil)); v.Principal == nil || v.Principal.Role != "viewer" {
		t.Errorf("a newcomer: %+v", v)
	}
	if now, refusal := later.current(p); refusal != nil || now.Role != "viewer" || now.Name != "ada" || !now.Expires.Equal(p.Expires) {
		t.Errorf("who is in: %+v, %v", now, refusal)
	}
	cfg.Roles = nil
	without, err := newJWT([]JWTConfig{cfg}, parsedRoles(t), later, testOptions(&clock, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, refusal := without.current(p); refusal == nil || refusal.Code != "no_role" {
		t.Errorf("without a role: %v", refusal)
	}
	cfg.Issuer = "https://other.example"
	gone, err := newJWT([]JWTConfig{cfg}, parsedRoles(t), without, testOptions(&clock, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, refusal := gone.current(p); refusal == nil || refusal.Code != "issuer" {
		t.Errorf("without the issuer: %v", refusal)
	}
}
