package bridge

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// toBridge is what nginx needs to pass a WebSocket on.
const toBridge = `
			proxy_pass http://BRIDGE;
			proxy_http_version 1.1;
			proxy_set_header Host $http_host;
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection $connection_upgrade;
			proxy_set_header X-Forwarded-For $remote_addr;
			proxy_set_header X-Forwarded-Proto $scheme;
			access_log DIR/access.log;
`

// behindNginx starts a bridge that trusts the users that a proxy on 127.0.0.1 names, and nginx in
// front of it.
func behindNginx(t *testing.T, server string) (h *accessHarness, addr, dir string) {
	t.Helper()
	h = newAccessHarness(t, func(c *access.Config) {
		c.Anonymous = "viewer"
		c.Proxy = &access.ProxyConfig{From: []string{"127.0.0.1/32"}, User: "X-Remote-User", Groups: "X-Remote-Groups",
			Address: "X-Forwarded-For", Roles: access.Assignments{{Match: "user:eng", Role: "engineer"}, {Match: "group:observers", Role: "observer"}}}
	})
	addr, dir = testkit.Nginx(t, strings.NewReplacer("BRIDGE", h.addr).Replace(strings.ReplaceAll(server, "TO_BRIDGE", toBridge)))
	return h, addr, dir
}

// identity returns who a v1 client is.
func identity(t *testing.T, addr string, fields http.Header, dial ...func(context.Context, string, string) (net.Conn, error)) (name any, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	d := ws.Dialer{Header: ws.HandshakeHeaderHTTP(fields), Protocols: []string{Subprotocol}}
	for _, with := range dial {
		d.NetDial = with
	}
	c, err := testkit.OpenWebSocket(ctx, d, "ws://"+addr+"/")
	if refused, ok := err.(ws.StatusError); ok {
		return nil, int(refused)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	text, err := c.ReceiveWithin(testkit.Patience)
	if err != nil {
		t.Fatal(err)
	}
	var hello struct {
		Access struct{ Name any }
	}
	if err := json.Unmarshal(text, &hello); err != nil {
		t.Fatal(err)
	}
	return hello.Access.Name, http.StatusSwitchingProtocols
}

func TestNginxWithSingleSignOnNamesTheUser(t *testing.T) {
	htpasswd := "ana:{PLAIN}telescope\neng:{PLAIN}dome\nnobody:{PLAIN}x\n"
	_, addr, dir := behindNginx(t, `
		location / {
			auth_basic "the observatory";
			auth_basic_user_file DIR/htpasswd;
			proxy_set_header X-Remote-User $remote_user;
			proxy_set_header X-Remote-Groups "";
			proxy_set_header Authorization "";
			TO_BRIDGE
		}`)
	if err := os.WriteFile(filepath.Join(dir, "htpasswd"), []byte(htpasswd), 0o644); err != nil {
		t.Fatal(err)
	}
	signedIn := func(user, password string, more ...string) http.Header {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		for i := 0; i < len(more); i += 2 {
			r.Header.Set(more[i], more[i+1])
		}
		return r.Header
	}
	for what, c := range map[string]struct {
		fields http.Header
		name   any
		status int
	}{
		"signed in":                      {signedIn("eng", "dome"), "eng", 101},
		"a wrong password":               {signedIn("eng", "x"), nil, 401},
		"somebody else's name":           {signedIn("nobody", "x", "X-Remote-User", "eng"), nil, 403},
		"somebody else's name, as eng":   {signedIn("eng", "dome", "X-Remote-User", "ana"), "eng", 101},
		"a group that nginx did not see": {signedIn("ana", "telescope", "X-Remote-Groups", "observers"), nil, 403},
	} {
		if name, status := identity(t, addr, c.fields); name != c.name || status != c.status {
			t.Errorf("%s: %v, status %d", what, name, status)
		}
	}
}

// Who reaches the bridge beside the proxy is not whom it claims to be.
func TestHeadersThatNoProxySentNameNobody(t *testing.T) {
	h, _, _ := behindNginx(t, "location / { TO_BRIDGE }")
	from := func(addr string) func(context.Context, string, string) (net.Conn, error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
		return d.DialContext
	}
	fields := http.Header{"X-Remote-User": {"eng"}}
	if name, status := identity(t, h.addr, fields, from("127.0.0.1")); name != "eng" || status != 101 {
		t.Errorf("from the proxy's address: %v, status %d", name, status)
	}
	if name, status := identity(t, h.addr, fields, from("127.0.0.2")); name == "eng" || status != 101 {
		t.Errorf("from another one: %v, status %d", name, status)
	}
}

// nginx asks a Django site about each handshake, and tells the bridge whom that named: with the
// configuration that docs/access.md recommends.
func TestNginxWithAuthRequestNamesTheUserOfASession(t *testing.T) {
	page, err := os.ReadFile("../docs/access.md")
	if err != nil {
		t.Fatal(err)
	}
	recipe := regexp.MustCompile("(?s)```nginx\n(.*?auth_request.*?)```").FindSubmatch(page)
	if recipe == nil {
		t.Fatal("docs/access.md has no configuration of nginx with auth_request")
	}
	login, site := testkit.LoginDjango(t)
	server := strings.ReplaceAll(strings.ReplaceAll(string(recipe[1]), "http://127.0.0.1:8000", login), "127.0.0.1:9876", "BRIDGE")
	_, addr, dir := behindNginx(t, server+"access_log DIR/access.log;")
	if name, status := identity(t, addr, http.Header{"X-Remote-User": {"eng"}}); name != nil || status != 401 {
		t.Errorf("without a session: %v, status %d", name, status)
	}
	cookie := signIn(t, login, "ana", "observer")
	if name, status := identity(t, addr, http.Header{"Cookie": {cookie}}); name != "ana" || status != 101 {
		t.Errorf("with a session: %v, status %d", name, status)
	}
	site.Kill()
	if name, status := identity(t, addr, http.Header{"Cookie": {cookie}}); name != nil || status != 500 {
		t.Errorf("while the site is down: %v, status %d", name, status)
	}
	if log, err := os.ReadFile(filepath.Join(dir, "access.log")); err != nil || strings.Contains(string(log), cookie) {
		t.Errorf("the log of nginx is %s, %v", log, err)
	}
}

// The same without nginx's help: it only passes on the cookie, about which the bridge asks the site.
func TestTheCallbackAsksAboutTheCookieThatNginxPassesOn(t *testing.T) {
	login, _ := testkit.LoginDjango(t)
	h := newAccessHarness(t, func(c *access.Config) {
		c.Callback = &access.CallbackConfig{URL: login + "/ws-login", Style: "proxy", Headers: []string{"cookie:sessionid"}}
		c.Proxy = &access.ProxyConfig{From: []string{"127.0.0.1/32"}, Address: "X-Forwarded-For"}
	})
	addr, _ := testkit.Nginx(t, strings.ReplaceAll("location / {"+toBridge+"}", "BRIDGE", h.addr))
	cookie := signIn(t, login, "ana", "observer")
	for what, c := range map[string]struct {
		origin string
		name   any
		status int
	}{
		"the site's page": {"http://" + addr, "ana", 101},
		"a program":       {"", "ana", 101},
		"a foreign page":  {"https://evil.example", nil, 101}, // is asked who it is: the cookie does not count
	} {
		fields := http.Header{"Cookie": {cookie}}
		if c.origin != "" {
			fields.Set("Origin", c.origin)
		}
		if name, status := identity(t, addr, fields); name != c.name || status != c.status {
			t.Errorf("%s: %v, status %d", what, name, status)
		}
	}
}

// signIn signs a user in at the Django site, and returns the cookie of the session.
func signIn(t *testing.T, login, user, role string) (cookie string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}, Timeout: testkit.Patience}
	answer, err := client.Get(login + "/login?" + url.Values{"user": {user}, "role": {role}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	site, err := url.Parse(login)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range jar.Cookies(site) {
		cookie = c.Name + "=" + c.Value
	}
	return cookie
}
