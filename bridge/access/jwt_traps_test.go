package access

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// jwtAuthority returns an authority that lets anonymous clients in, too, and knows the issuer.
func jwtAuthority(t testing.TB, issuer *testIssuer, change func(*JWTConfig)) *Authority {
	t.Helper()
	cfg := issuer.config("RS256", "EdDSA")
	if change != nil {
		change(&cfg)
	}
	a := newAuthority(t, Config{Anonymous: "viewer", Cookie: "token", JWT: []JWTConfig{cfg}})
	t.Cleanup(func() { a.state.Load().jwt.closeIdle() })
	return a
}

// A token that is not valid is refused, wherever it travels. In another system its bearer became
// anonymous, and saw an empty page without a reason.
func TestAnExpiredTokenIsNotAnonymous(t *testing.T) {
	issuer, key := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "EdDSA", "k1")
	issuer.publish(key)
	a := jwtAuthority(t, issuer, nil)
	expired := key.sign(t, issuer.claims(map[string]any{"exp": testNow.Add(-time.Hour).Unix()}), nil)
	cookie := approach("", "Cookie: token="+expired)
	cookie.OriginAllowed = true
	message := approach("")
	message.Message = expired
	for where, ap := range map[string]*Approach{
		"header": approach("", "Authorization: Bearer "+expired), "subprotocol": approach("", "Sec-WebSocket-Protocol: clu-ws.v1, bearer."+expired),
		"cookie": cookie, "message": message,
	} {
		if v := decide(t, a, ap); v.Principal != nil || v.Refusal.Status != 401 || v.Refusal.Code != "expired" {
			t.Errorf("%s: %+v, %+v", where, v.Principal, v.Refusal)
		}
	}
	refused(t, decide(t, a, approach("", "Authorization: Bearer "+strings.Replace(expired, ".", "", 1))), 401, "invalid")
}

// A token that its holder shows again and again is told no, with the same reason, and never held
// against another one behind the same address.
func TestAStaleTokenIsToldNoEachTimeAndOthersEnter(t *testing.T) {
	issuer, key := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "EdDSA", "k1")
	issuer.publish(key)
	a := jwtAuthority(t, issuer, nil)
	stale := key.sign(t, issuer.claims(map[string]any{"exp": testNow.Add(-time.Hour).Unix()}), nil)
	good := key.sign(t, issuer.claims(nil), nil)
	for n := range 3 * failureBurst {
		want := 401
		if n >= failureBurst {
			want = 429
		}
		if v := decide(t, a, approach("", "Authorization: Bearer "+stale)); v.Refusal.Status != want {
			t.Fatalf("attempt %d: %d", n, v.Refusal.Status)
		}
		enters(t, a, approach("", "Authorization: Bearer "+good))
	}
	enters(t, a, approach("")) // anonymous
}

func TestATokenOfKeycloakGivesARole(t *testing.T) {
	issuer, key := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "RS256", "FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE")
	issuer.publish(newIssuerKey(t, "RS256", "another"), key)
	a := jwtAuthority(t, issuer, func(c *JWTConfig) {
		c.Name, c.Role = "preferred_username", "viewer"
		c.Roles = Assignments{{"resource_access.clu-ws.roles:engineer", "engineer"}, {"realm_access.roles:observer", "observer"}}
	})
	token := func(realm, resource []string) string {
		return key.sign(t, issuer.claims(map[string]any{
			"aud": []string{"clu-ws", "account"}, "typ": "Bearer", "azp": "page", "acr": "1", "scope": "openid email profile", "email_verified": true,
			"sub": "f1b6c1c2-7d0e-4a6b-9a3e-3b1f0b1f2c3d", "preferred_username": "ada", "session_state": "x", "allowed-origins": []string{"*"}, "groups": nil,
			"realm_access":    map[string]any{"roles": realm},
			"resource_access": map[string]any{"clu-ws": map[string]any{"roles": resource}, "account": map[string]any{"roles": []string{"manage-account"}}},
		}), map[string]any{"typ": "JWT"})
	}
	for _, c := range []struct {
		realm, resource []string
		role            string
	}{{[]string{"observer"}, []string{"engineer"}, "engineer"}, {[]string{"offline_access", "observer"}, nil, "observer"}, {nil, nil, "viewer"}} {
		if p := enters(t, a, approach("", "Authorization: Bearer "+token(c.realm, c.resource))); p.Role != c.role || p.Name != "ada" {
			t.Errorf("%v, %v: %+v", c.realm, c.resource, p)
		}
	}
}

// Keys are fetched while the authority runs, so that the first client need not wait; and nothing
// goes on after it has ended.
func TestARunningAuthorityFetchesKeysAhead(t *testing.T) {
	issuer, key := newTestIssuer(t, httptest.NewServer), newIssuerKey(t, "EdDSA", "k1")
	issuer.publish(key)
	a := jwtAuthority(t, issuer, nil)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = a.Run(ctx) })
	keys := a.state.Load().jwt.issuers[issuer.URL][0].keys
	testkit.WaitUntil(t, "the keys are there", func() bool {
		keys.mu.Lock()
		defer keys.mu.Unlock()
		return keys.keys != nil
	})
	stop()
	running.Wait()
	enters(t, a, approach("", "Authorization: Bearer "+key.sign(t, issuer.claims(nil), nil)))
	if n := issuer.asked.Load(); n != 1 {
		t.Errorf("the issuer was asked %d times", n)
	}
}

// A bridge that is stopped does not wait for an issuer that hangs; who waits for it comes again.
func TestAnAuthorityEndsAlthoughItsIssuerHangs(t *testing.T) {
	arrived := make(chan struct{}, 10)
	issuer := newTestIssuer(t, func(http.Handler) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			arrived <- struct{}{}
			<-r.Context().Done()
		}))
	})
	a := jwtAuthority(t, issuer, nil)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = a.Run(ctx) })
	<-arrived
	began := time.Now()
	stop()
	running.Wait()
	if took := time.Since(began); took > keysTimeout*9/10 {
		t.Errorf("it took %v", took)
	}
	keys := a.state.Load().jwt.issuers[issuer.URL][0].keys
	if keys.failed != 0 || keys.mayAskIn() != 0 {
		t.Errorf("the issuer has failed %d times, and may be asked in %v", keys.failed, keys.mayAskIn())
	}
}

func BenchmarkVerifyJWT(b *testing.B) {
	for _, alg := range []string{"HS256", "RS256", "ES256", "EdDSA"} {
		b.Run(alg, func(b *testing.B) {
			issuer := newTestIssuer(b, httptest.NewServer)
			cfg := issuer.config(alg)
			var token string
			if alg == "HS256" {
				cfg.JWKS, cfg.Secret = "", strings.Repeat("s", secretMinLength)
				token, _ = jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(issuer.claims(nil))).SignedString([]byte(cfg.Secret))
			} else {
				key := newIssuerKey(b, alg, "k1")
				issuer.publish(key)
				token = key.sign(b, issuer.claims(nil), nil)
			}
			s := newTestJWT(b, &testClock{}, cfg)
			if v := verify(b, s, token); v.Principal == nil {
				b.Fatal(v.Refusal)
			}
			for b.Loop() {
				s.verify(b.Context(), token)
			}
		})
	}
}
