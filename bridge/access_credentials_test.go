package bridge

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// signURL signs a path as baseplate's MessageSigner does.
func signURL(key, path string, expires time.Time) string {
	header := binary.LittleEndian.AppendUint32([]byte{1, 0, 0}, uint32(expires.Unix()))
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(header)
	mac.Write([]byte(path))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(header))
}

// signedBy makes the configuration take URLs that are signed with a key.
func signedBy(t *testing.T, key string, lifetime string) func(*access.Config) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secrets.json")
	text, err := json.Marshal(map[string]any{"secrets": map[string]any{"s": map[string]string{
		"type": "versioned", "encoding": "base64", "current": base64.StdEncoding.EncodeToString([]byte(key))}}})
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func(c *access.Config) {
		c.Signed = &access.SignedConfig{Secrets: file, Name: "s", Role: "viewer", Lifetime: lifetime}
	}
}

func TestASignedURLOpensItsRoomOnly(t *testing.T) {
	const key = "0123456789abcdef"
	h := newAccessHarness(t, signedBy(t, key, "connect"))
	h.pass(time.Minute)
	soon, past := h.clock.Now().Add(time.Minute), h.clock.Now().Add(-time.Second)
	room, root := "?m="+signURL(key, "/live/é", soon), "?m="+signURL(key, "/", soon)
	for target, want := range map[string]int{
		"/live/%C3%A9" + room: 101, "/live/%C3%A9" + root: 403, "/live/b" + room: 403, "/" + room: 403, "/" + root: 101,
		"/" + root + "&sender=dome": 101, "/live/%C3%A9?m=" + signURL("another", "/live/é", soon): 403, "/live/%C3%A9?m=" + signURL(key, "/live/é", past): 403,
		"/live/%C3%A9" + room + "&m=x": 400, "/live/%C3%A9?m=": 403,
	} {
		if status, reason := h.status(target, http.Header{"Origin": {"https://other.example"}}); status != want {
			t.Errorf("%s: %d, %q, want %d", target, status, reason, want)
		}
	}
	c := h.open("/"+root+"&sender=dome", nil)
	if m := next(t, c); m["op"] != "hello" {
		t.Errorf("beside a signature, the parameters are answered with %v", m)
	}
	h.pass(2 * time.Minute)
	c.Send(`{"op": "ping"}`)
	nextOp(t, c, "pong") // the signature has expired, which counts for newcomers only
}

func TestASignedURLMayBoundTheWholeSession(t *testing.T) {
	const key = "0123456789abcdef"
	h := newAccessHarness(t, signedBy(t, key, "session"))
	c := h.open("/live/a?m="+signURL(key, "/live/a", h.clock.Now().Add(time.Minute)), nil)
	h.awaitDeadlines(1)
	h.pass(2 * time.Minute)
	if code, _ := closes(t, c); code != 3000 {
		t.Errorf("it is closed with %d", code)
	}
}

func TestThePeerOfAUnixSocketIsKnown(t *testing.T) {
	me, err := user.Current()
	if err != nil || runtime.GOOS == "windows" {
		t.Fatal("who runs the tests is not known", err)
	}
	h := newAccessHarness(t, func(c *access.Config) { c.Unix = access.Assignments{{Match: "user:" + me.Username, Role: "engineer"}} })
	socket := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", socket)
	if err == nil {
		err = h.Listen(ln)
	}
	if err != nil {
		t.Fatal(err)
	}
	dialer := ws.Dialer{Protocols: []string{Subprotocol}, NetDial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	c := testkit.DialWebSocketWith(t, dialer, "ws://localhost/")
	if hello := next(t, c); hello["access"].(map[string]any)["name"] != me.Username {
		t.Errorf("the hello says %v", hello["access"])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	resp, err := client.Get("http://localhost/whoami")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text := readAll(resp.Body); !strings.Contains(text, `"source":"unix"`) {
		t.Errorf("/whoami says %s", text)
	}
}

func TestOnlyATrustedProxySaysWhoItsUserIs(t *testing.T) {
	signedIn := http.Header{"X-Remote-User": {"zoe"}}
	for name, c := range map[string]struct {
		from string
		want int
	}{"trusted": {"127.0.0.0/8", 101}, "another": {"192.0.2.0/24", 403}} {
		h := newAccessHarness(t, func(cfg *access.Config) {
			cfg.Anonymous = "viewer"
			cfg.Proxy = &access.ProxyConfig{From: []string{c.from}, User: "X-Remote-User", Role: "engineer"}
		})
		if status, _ := h.status("/live/b", signedIn); status != c.want {
			t.Errorf("%s: %d, want %d", name, status, c.want)
		}
		if status, _ := h.status("/live/b", with(signedIn, "Origin", "https://evil.example")); status != 403 {
			t.Errorf("%s: a foreign page gets %d", name, status)
		}
	}
}

func TestAnAddressThatAProxyNamesCountsForATokenInAMessage(t *testing.T) {
	h := newAccessHarness(t, func(c *access.Config) {
		for i := range c.Tokens {
			c.Tokens[i].From = []string{"192.0.2.0/24"}
		}
	})
	if err := h.Reload(Reload{Access: &h.config, TrustedProxies: []string{"127.0.0.1"}}); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{"192.0.2.7": "hello", "198.51.100.7": "error"} {
		c := h.open("/", http.Header{"X-Forwarded-For": {address}})
		next(t, c)
		c.Send(`{"op": "auth", "token": "` + h.tokens["ana"] + `"}`)
		if m := next(t, c); m["op"] != want {
			t.Errorf("from %s: %v", address, m)
		}
	}
}

func TestTheOriginAndAddressThatASignInProxyForwardsCount(t *testing.T) {
	h := newAccessHarness(t, func(c *access.Config) {
		c.Proxy = &access.ProxyConfig{From: []string{"127.0.0.1"}, User: "X-Remote-User", Role: "viewer", Address: "X-Forwarded-For"}
	})
	fields := http.Header{"X-Remote-User": {"zoe"}, "X-Forwarded-For": {"192.0.2.7"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"console.example"}}
	for page, want := range map[string]int{"https://console.example": 101, "http://console.example": 403, "https://evil.example": 403} {
		if status, _ := h.status("/", with(fields, "Origin", page)); status != want {
			t.Errorf("from %s: %d, want %d", page, status, want)
		}
	}
	if strings.Contains(h.logged.String(), "client=127.0.0.1") || !strings.Contains(h.logged.String(), "client=192.0.2.7") {
		t.Errorf("the refused client is logged as\n%s", h.logged)
	}
	named := ws.Dialer{Host: "console.example", Header: ws.HandshakeHeaderHTTP(fields)}
	testkit.DialWebSocketWith(t, named, "ws://"+h.addr+"/") // through the proxy, with any Host
	named.Header = ws.HandshakeHeaderHTTP(http.Header{"X-Remote-User": {"zoe"}})
	if c, err := testkit.OpenWebSocket(t.Context(), named, "ws://"+h.addr+"/"); err == nil {
		c.Close()
		t.Error("a page whose name was made to resolve to this machine may connect")
	}
}
