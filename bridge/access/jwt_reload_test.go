package access

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A secret that others know is replaced, and that must end what was entered with it.
func TestAReloadLooksAtWhatSignedAToken(t *testing.T) {
	secret := strings.Repeat("s", secretMinLength)
	cfg := JWTConfig{Issuer: "app", Audience: "clu-ws", Algorithms: []string{"HS256"}, Secret: secret, Roles: Assignments{{"level:5", "observer"}}}
	a := newAuthority(t, Config{JWT: []JWTConfig{cfg}})
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": "app", "aud": "clu-ws", "sub": "ada", "level": 5,
		"exp": testNow.Add(time.Hour).Unix()}).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	p := enters(t, a, approach("", "Authorization: Bearer "+token))
	reload(t, a, Config{JWT: []JWTConfig{cfg}})
	if now, refusal := a.Current(p); now != p {
		t.Errorf("a reload that changes nothing: %+v, %v", now, refusal)
	}
	for name, change := range map[string]func(*JWTConfig){
		"another secret": func(c *JWTConfig) { c.Secret = strings.Repeat("t", secretMinLength) },
		"no HS256": func(c *JWTConfig) {
			c.Algorithms, c.Secret, c.JWKS = []string{"RS256"}, "", "https://app.example/keys"
		},
	} {
		changed := cfg
		change(&changed)
		reload(t, a, Config{JWT: []JWTConfig{changed}})
		if now, refusal := a.Current(p); refusal == nil || refusal.Code != "revoked" {
			t.Errorf("%s: %+v, %v", name, now, refusal)
		}
	}
}

func TestAProxyThatIsTrustedNoLongerHasNoUsers(t *testing.T) {
	a := newAuthority(t, Config{Anonymous: "viewer", Proxy: proxyConfig()})
	p := enters(t, a, proxied("X-Remote-User: root"))
	moved := proxyConfig()
	moved.From = []string{netip.MustParseAddr("192.0.2.9").String()}
	reload(t, a, Config{Anonymous: "viewer", Proxy: moved})
	if now, refusal := a.Current(p); refusal == nil || refusal.Code != "revoked" {
		t.Errorf("its user is %+v, %v", now, refusal)
	}
}
