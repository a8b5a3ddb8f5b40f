package bridge

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/access"
)

func TestAClientEntersOnlyWithAValidCredential(t *testing.T) {
	h := newAccessHarness(t)
	basic := func(password string) http.Header {
		return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+password))}}
	}
	for _, c := range []struct {
		name, target string
		fields       http.Header
		protocols    []string
		want         int
		words        string
	}{
		{"bearer", "/", h.bearer("ana"), nil, 101, ""},
		{"basic", "/", basic(h.tokens["ana"]), nil, 101, ""},
		{"subprotocol", "/", nil, []string{Subprotocol, "bearer." + h.tokens["ana"]}, 101, ""},
		{"an unknown token", "/", http.Header{"Authorization": {"Bearer nonsense"}}, nil, 401, "not valid"},
		{"an unknown token as password", "/", basic("nonsense"), nil, 401, "not valid"},
		{"an unknown token as subprotocol", "/", nil, []string{Subprotocol, "bearer.nonsense"}, 401, "not valid"},
		{"a token in the URL", "/?token=" + h.tokens["ana"], nil, nil, 401, "takes no token in a URL"},
		{"two credentials", "/", h.bearer("ana"), []string{Subprotocol, "bearer." + h.tokens["ana"]}, 400, "more than one"},
		{"a room that is granted", "/live/a", h.bearer("ana"), nil, 101, ""},
		{"a room that is not", "/live/b", h.bearer("ana"), nil, 403, "/live/b"},
		{"a room that two slashes hide", "/live/b//", h.bearer("ana"), nil, 403, "/live/b"},
		{"a room without a credential", "/live/a", nil, nil, 401, "room"},
		{"a foreign page with a token", "/", http.Header{"Origin": {"https://evil.example"}, "Authorization": {"Bearer " + h.tokens["ana"]}}, nil, 101, ""},
		{"a foreign page with a token as subprotocol", "/live/a", http.Header{"Origin": {"https://evil.example"}}, []string{"bearer." + h.tokens["ana"]}, 101, ""},
		{"the same in capitals", "/live/a", http.Header{"Origin": {"https://evil.example"}}, []string{"Bearer." + h.tokens["ana"]}, 101, ""},
		{"a foreign page that may show a token in a message", "/", http.Header{"Origin": {"https://evil.example"}}, nil, 101, ""},
		{"a foreign page in a room", "/live/a", http.Header{"Origin": {"https://evil.example"}}, nil, 401, "room"},
		{"a foreign page with a remembered password", "/", http.Header{"Origin": {"https://evil.example"}, "Authorization": basic(h.tokens["ana"])["Authorization"]}, nil, 403, "--origin"},
	} {
		if status, reason := h.status(c.target, c.fields, c.protocols...); status != c.want || !strings.Contains(reason, c.words) {
			t.Errorf("%s: status %d, %q", c.name, status, reason)
		}
	}
}

func TestAnInvalidCredentialIsNeverAnonymous(t *testing.T) {
	h := newAccessHarness(t, func(c *access.Config) { c.Anonymous = "viewer" })
	if status, _ := h.status("/", nil); status != 101 {
		t.Fatalf("an anonymous client gets %d", status)
	}
	for name, fields := range map[string]http.Header{
		"bearer": {"Authorization": {"Bearer nonsense"}},
		"basic":  {"Authorization": {"Basic eDp5"}},
		"digest": {"Authorization": {"Digest x"}},
	} {
		if status, _ := h.status("/", fields); status != 401 {
			t.Errorf("%s gets %d", name, status)
		}
	}
	if status, _ := h.status("/?token=nonsense", http.Header{"Origin": {"https://evil.example"}}); status != 401 {
		t.Errorf("a foreign page with a parameter that is ignored gets %d", status)
	}
	if status, _ := h.status("/", http.Header{"Origin": {"https://evil.example"}}); status != 403 {
		t.Errorf("an anonymous foreign page gets %d", status)
	}
}

func TestOnlyASubprotocolWithoutATokenIsNamedBack(t *testing.T) {
	h := newAccessHarness(t)
	token := "bearer." + h.tokens["ana"]
	for _, c := range []struct {
		offered []string
		want    string
	}{
		{[]string{token, Subprotocol}, Subprotocol}, {[]string{"clu", token}, "clu"}, {[]string{token, "clu", Subprotocol}, Subprotocol},
	} {
		if got := h.open("/", nil, c.offered...).Handshake.Protocol; got != c.want {
			t.Errorf("of %d subprotocols %q is named, want %q", len(c.offered), got, c.want)
		}
	}
	if got := h.open("/live/a", nil, "clu", token).Handshake.Protocol; got != "clu" {
		t.Errorf("in a room %q is named", got)
	}
	if got := h.open("/", h.bearer("ana"), "clu").Handshake.Protocol; got != "" {
		t.Errorf("without a token among them %q is named", got)
	}
}

func TestTheHelloSaysWhoAClientIsAndWhatItMayDo(t *testing.T) {
	h := newAccessHarness(t)
	_, hello := h.v1("ana")
	info, _ := hello["access"].(map[string]any)
	grants, _ := info["grants"].(map[string]any)
	if info["name"] != "ana" || info["expires"] != nil || grants["own"] != true || grants["hear"] == nil {
		t.Errorf("the hello says %v", hello["access"])
	}
	open := newHarness(t)
	l := open.dial()
	if hello := open.await(l, "hello"); hello["access"] != nil {
		t.Errorf("without access control the hello says %v", hello["access"])
	}
}

func TestAClientHearsWhatItMayAndNothingElse(t *testing.T) {
	h := newAccessHarness(t)
	plain := h.open("/", h.bearer("ana"))
	v1, _ := h.v1("ana")
	everything, _ := h.v1("eve")
	h.from("mirror", 0)
	h.from("dome", 0)
	if m := next(t, everything); m["seq"] != 1.0 {
		t.Errorf("a viewer hears %v first", m)
	}
	if m := next(t, v1); m["seq"] != 2.0 {
		t.Errorf("an observer hears %v first", m)
	}
	if first := string(plain.Receive()); !strings.Contains(first, "body") {
		t.Errorf("a plain observer gets %s first", first)
	}
	plain.Send("ping")
	if second := string(plain.Receive()); second != "pong" {
		t.Errorf("a plain observer gets %s after the reply that it may hear", second)
	}
}
