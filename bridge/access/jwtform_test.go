package access

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// foreignJWT returns a token with the form of a JWT, of an issuer that is not configured.
func foreignJWT(length int) string {
	encode := base64.RawURLEncoding.EncodeToString
	claims := `{"iss":"https://elsewhere.example","x":"` + strings.Repeat("x", length) + `"}`
	return encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(claims)) + ".c2lnbmF0dXJl"
}

var ownIssuer = JWTConfig{Issuer: "https://idp.example", Audience: "clu-ws", Algorithms: []string{"HS256"}, Secret: strings.Repeat("s", 32), Role: "viewer"}

func TestNoJWTIsReadOnTheLoop(t *testing.T) {
	a := newAuthority(t, Config{JWT: []JWTConfig{ownIssuer}})
	identify := func(length int) func() {
		ap := approach("", "Authorization: Bearer "+foreignJWT(length))
		return func() {
			if v := a.Identify(ap); v.Later == nil {
				t.Fatalf("it is decided at once: %+v", v)
			}
		}
	}
	short, long := testing.AllocsPerRun(100, identify(10)), testing.AllocsPerRun(100, identify(6000))
	if long > short || short > 20 {
		t.Errorf("%v allocations for a short token, %v for a long one", short, long)
	}
	refused(t, decide(t, a, approach("", "Authorization: Bearer "+foreignJWT(10))), 401, "invalid")
}

func TestATicketMayLookLikeAJWT(t *testing.T) {
	asked := make(chan string, 1)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method
		_, _ = w.Write([]byte(`{"status": "ok", "name": "ada", "role": "viewer"}`))
	}))
	t.Cleanup(app.Close)
	a := newAuthority(t, Config{JWT: []JWTConfig{ownIssuer}, Callback: &CallbackConfig{URL: app.URL, Style: "post"}})
	if p := enters(t, a, approach("", "Authorization: Bearer "+foreignJWT(10))); p.Source != "callback" || p.Name != "ada" || len(asked) != 1 {
		t.Errorf("it is %+v", p)
	}
	a.state.Load().callback.client.CloseIdleConnections()
}
