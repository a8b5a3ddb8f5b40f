package bridge_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// shake sends an upgrade request with additional lines, and returns the answer. A Host line replaces
// that of the address.
func (r *running) shake(t *testing.T, target string, lines ...string) (status int, body string) {
	t.Helper()
	host := "Host: " + r.addr
	for i, line := range lines {
		if strings.HasPrefix(line, "Host:") {
			host, lines[i] = line, "X-Nothing: x"
		}
	}
	return ask(t, r.addr, "GET "+target+" HTTP/1.1", append([]string{host, "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"}, lines...)...)
}

// ask sends a request without a body, unchanged, and returns the answer.
func ask(t *testing.T, addr string, lines string, more ...string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(testkit.Patience))
	if _, err := io.WriteString(conn, strings.Join(append([]string{lines}, more...), "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp.StatusCode, ""
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// logged is a log that can be read while it is being written.
type logged struct {
	mu   sync.Mutex // guards the following field
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) config(c *bridge.Config) { c.Logger = slog.New(slog.NewTextHandler(l, nil)) }

func TestAPageOfAnotherSiteOpensNoSocketOnALocalBridge(t *testing.T) {
	var log logged
	b := startBridge(t, "amqp://127.0.0.1:1/", log.config)
	began := time.Now()
	for name, c := range map[string]struct {
		lines  []string
		status int
	}{
		"a program":               {nil, 101},
		"a page of this machine":  {[]string{"Origin: http://localhost:8000"}, 101},
		"its own page":            {[]string{"Origin: http://" + b.addr}, 101},
		"a page of another site":  {[]string{"Origin: https://evil.example"}, 403},
		"a file":                  {[]string{"Origin: null"}, 403},
		"two origins":             {[]string{"Origin: http://localhost", "Origin: https://evil.example"}, 403},
		"another name, rebound":   {[]string{"Host: evil.example", "Origin: http://evil.example"}, 403},
		"another name, a program": {[]string{"Host: evil.example"}, 403},
	} {
		if status, body := b.shake(t, "/", c.lines...); status != c.status || status == 403 && !strings.Contains(body, "--origin") {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	for _, path := range []string{"/", "/clu.js", "/healthz"} {
		if status, body := ask(t, b.addr, "GET "+path+" HTTP/1.1", "Host: evil.example:9876"); status != 403 || !strings.Contains(body, "DNS rebinding") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	most := 2 + int(time.Since(began)/time.Second) // one a second
	if got := log.String(); !strings.Contains(got, "reason=origin") || !strings.Contains(got, "--origin") || strings.Count(got, "reason=origin") > most {
		t.Errorf("the log: %s", got)
	}
}

func TestListedPagesAndNoOthersMayConnect(t *testing.T) {
	b := startBridge(t, "amqp://127.0.0.1:1/", func(c *bridge.Config) { c.Origins = []string{"https://console.example"} })
	for origin, want := range map[string]int{"https://console.example": 101, "https://evil.example": 403, "http://localhost:8000": 403} {
		if status, body := b.shake(t, "/", "Origin: "+origin, "Host: console.example"); status != want {
			t.Errorf("%s: %d %s", origin, status, body)
		}
	}
	if _, err := bridge.New(bridge.Config{Broker: []string{"amqp://127.0.0.1:1/"}, Origins: []string{"console.example"}}); err == nil {
		t.Error("what is no origin may be listed")
	}
}

// serveAdmin serves the admin port.
func (r *running) serveAdmin(t *testing.T) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: r.Admin()}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(ln)
	}()
	t.Cleanup(func() { server.Close(); <-served })
	return ln.Addr().String()
}

func TestTheAdminsPortChecksHostAndOrigin(t *testing.T) {
	b := startBridge(t, "amqp://127.0.0.1:1/", func(c *bridge.Config) { c.AdminHost = "admin.example" })
	addr := b.serveAdmin(t)
	const command = "POST /api/command HTTP/1.1"
	for name, c := range map[string]struct {
		request string
		lines   []string
		status  int
	}{
		"a command by the address":     {command, []string{"Host: " + addr}, 415},
		"a command by its name":        {command, []string{"Host: admin.example:9877"}, 415},
		"a command by another name":    {command, []string{"Host: evil.example"}, 403},
		"a command of another page":    {command, []string{"Host: " + addr, "Origin: https://evil.example"}, 403},
		"a command of its own page":    {command, []string{"Host: " + addr, "Origin: http://" + addr}, 415},
		"metrics by another name":      {"GET /metrics HTTP/1.1", []string{"Host: evil.example"}, 403},
		"a profile for another's page": {"GET /debug/pprof/profile?seconds=1 HTTP/1.1", []string{"Host: " + addr, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"}, 403},
	} {
		if status, body := ask(t, addr, c.request, append(c.lines, "Connection: close")...); status != c.status {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

// deadlines records the read deadline of a request.
type deadlines struct {
	*httptest.ResponseRecorder
	read time.Time
}

func (d *deadlines) SetReadDeadline(until time.Time) error {
	d.read = until
	return nil
}

func TestAnUnreadBodyDoesNotBlockTheAdminPort(t *testing.T) {
	b := startBridge(t, "amqp://127.0.0.1:1/")
	admin := b.Admin()
	for _, c := range []struct {
		method, path, kind string
		bounded            bool
	}{
		{"GET", "/metrics", "", true}, {"POST", "/healthz", "", true}, {"POST", "/api/command", "text/plain", true},
		{"POST", "/api/command", "application/json", false}, // it was read, and the answer may be waited for
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader("{}"))
		r.Header.Set("Content-Type", c.kind)
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		admin.ServeHTTP(w, r)
		if w.read.IsZero() == c.bounded {
			t.Errorf("%s %s, %s: the deadline is %v", c.method, c.path, c.kind, w.read)
		}
	}
}

func TestAnUpgradesPathIsReadAsAProxyReadsIt(t *testing.T) {
	b := linked(t, embeddedBroker(t), withSources("exchange=live"))
	b.awaitSources(t, 1)
	inRoom := dialWith(t, b.addr, "/%6cive/x%20y")
	b.post(t, "/api/publish", `{"path": "/live/x y", "text": "hello"}`)
	inRoom.expect("hello") // decoded once
	for path, words := range map[string]string{
		"/live/x%2fy": "encoded slash", "/live/x%2Fy": "encoded slash", "/x%2fy": "encoded slash", "/live%5cx": "encoded slash", `/live\x`: "encoded slash",
		"/live/../x": "is . or ..", "/live/%2e%2e/x": "is . or ..", "/live/.": "is . or ..", "/live/%2E/x": "is . or ..",
		"/live/100%": "%25", "/live/%zz": "%25", "/live/%00": "control character",
	} {
		if status, body := b.shake(t, path); status != 400 || !strings.Contains(body, words) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if code, answer := b.post(t, "/api/publish", `{"path": "/live/../x", "text": "hello"}`); code != 400 {
		t.Errorf("a message for /live/../x: %d %v", code, answer)
	}
	without := linked(t, embeddedBroker(t))
	if status, body := without.shake(t, "/any%2fpath/%zz"); status != 101 {
		t.Errorf("without rooms a path matters: %d %s", status, body)
	}
}

func TestEveryMistakeInTheURLIsAnError(t *testing.T) {
	b := linked(t, embeddedBroker(t))
	for query, words := range map[string]string{
		"sender=dome&keyword=100%":    "%25",
		"keyword=100%":                "%25",
		"sender=dome;keyword=x":       "semicolon",
		"x=1;sender=dome":             "semicolon",
		"sender=dome&bogus=1":         `"bogus"; there are sender, routing_key`,
		"bogus&silent=1":              `"bogus"`,
		"sender=dome&=1":              `no parameter ""`,
		"Sender=dome":                 "write sender",
		"sender=dome&KEYWORD=x":       "write keyword",
		"%73ender=dome&keyword=%":     "%25",
		"since=a:1&since=a:2":         "since is there twice",
		"sender=dome&silent=1":        "silent=1 asks for nothing",
		"snapshot=1&snapshot=0":       "snapshot is there twice",
		"sender=dome&" + big(200):     `no parameter "1111`,
		"sender=a&sender=" + "%ff%zz": "%25",
	} {
		c := dialWith(t, b.addr, "/?"+query)
		if hello := c.next(); hello["op"] != "hello" {
			t.Errorf("%s: first comes %v", query, hello)
			continue
		}
		e := c.next()
		if text := fmt.Sprint(e["message"]); e["op"] != "error" || e["code"] != "bad_request" || !strings.Contains(text, words) || len(text) > 280 {
			t.Errorf("%s is answered with %v", query, e)
		}
	}
}

func big(n int) string { return strings.Repeat("1", n) }

func TestAURLWithoutOurParametersIsIgnored(t *testing.T) {
	b := linked(t, embeddedBroker(t))
	for _, query := range []string{"", "x=100%", "x=1;y=2", "bogus=1&bogus=2", "=", "&&", "senders=dome", "x=sender", "m=AQAA%zz"} {
		c := dialWith(t, b.addr, "/?"+query)
		c.say("ping")
		if got := string(c.text()); got != "pong" {
			t.Errorf("%q: first comes %s", query, got)
		}
	}
	for _, query := range []string{"sender=a&sender=b", "sender=dome&&", "silent=0", "sender=a%3Bb&keyword=100%25"} {
		c := dialWith(t, b.addr, "/?"+query)
		c.next()
		c.say(`{"op": "ping", "id": "p"}`)
		for e := c.next(); e["op"] != "pong"; e = c.next() {
			if e["op"] == "error" {
				t.Errorf("%q is answered with %v", query, e)
			}
		}
	}
}

func TestATrustedProxyNamesItsClients(t *testing.T) {
	var log logged
	b := linked(t, embeddedBroker(t), log.config, func(c *bridge.Config) {
		c.TrustedProxies, c.ListClients, c.Limits.MaxPerAddress = []string{"127.0.0.1"}, true, 2
	})
	keep := func(lines ...string) int {
		t.Helper()
		conn, err := net.Dial("tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		request := append([]string{"GET / HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"}, lines...)
		if _, err := io.WriteString(conn, strings.Join(request, "\r\n")+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode
	}
	for _, c := range []struct {
		line   string
		status int
	}{
		{"X-Forwarded-For: 10.1.1.1, 192.0.2.7", 101}, {"Forwarded: for=192.0.2.7", 101}, {"X-Forwarded-For: 192.0.2.7", 503},
		{"X-Forwarded-For: 192.0.2.8", 101}, {"X-Forwarded-For: unknown", 101},
	} {
		if got := keep(c.line); got != c.status {
			t.Errorf("%s: %d, want %d", c.line, got, c.status)
		}
	}
	if got := keep("X-Forwarded-For: 192.0.2.9", "Forwarded: for=192.0.2.10"); got != 400 {
		t.Errorf("two that disagree: %d", got)
	}
	v1, _ := dialV1(t, b.addr, "/")
	list := fmt.Sprint(v1.ask(`{"op": "clients", "id": "c"}`))
	if strings.Count(list, "remote:192.0.2.7 ") != 2 || !strings.Contains(list, "remote:192.0.2.8 ") || strings.Contains(list, "10.1.1.1") {
		t.Errorf("the clients: %s", list)
	}
	if status, body := ask(t, b.addr, "GET /healthz HTTP/1.1", "Host: evil.example", "X-Forwarded-For: 192.0.2.77"); status != 403 || !strings.Contains(log.String(), "client=192.0.2.77") {
		t.Errorf("a page that is refused is not known by its client: %d %s", status, body)
	}
	if got := log.String(); !strings.Contains(got, "a trusted proxy names no client") || !strings.Contains(got, "unknown") {
		t.Errorf("the log: %s", got)
	}
	untrusting := linked(t, embeddedBroker(t), func(c *bridge.Config) { c.ListClients = true })
	v1, _ = dialV1(t, untrusting.addr, "/")
	untrusting.shake(t, "/", "X-Forwarded-For: 192.0.2.7")
	if list := fmt.Sprint(v1.ask(`{"op": "clients", "id": "c"}`)); strings.Contains(list, "192.0.2.7") {
		t.Errorf("anybody may say who it is: %s", list)
	}
}

func TestThePublicHealthNamesNoBroker(t *testing.T) {
	b := startBridge(t, "amqp://somebody:secret@127.0.0.1:1/", func(c *bridge.Config) { c.Name = "bridge-of-somebody" })
	for _, path := range []string{"/healthz", "/readyz"} {
		_, says := b.health(t, path)
		equal(t, path, fmt.Sprint(says), "map[broker:down ready:false]")
		if _, whole := b.admin(t, path); !strings.Contains(whole, "bridge-of-somebody") || !strings.Contains(whole, "clients") {
			t.Errorf("the admin is told %s", whole)
		}
	}
}

func TestRefusedRequestsAreLoggedOncePerKind(t *testing.T) {
	var log logged
	b := startBridge(t, "amqp://127.0.0.1:1/", log.config)
	began := time.Now()
	for range 20 {
		ask(t, b.addr, "GET / HTTP/1.1", "Host: a", "Host: b")
		ask(t, b.addr, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2")
		ask(t, b.addr, "GET /"+big(9000)+" HTTP/1.1")
		b.shake(t, "/", "Origin: https://evil.example")
	}
	for _, reason := range []string{"malformed request", "PROXY protocol", "request head too long", "origin"} {
		if line := fmt.Sprintf("cluws_refused_total{reason=%q} 20", reason); !strings.Contains(b.metrics(t), line) {
			t.Errorf("the metrics have no %s", line)
		}
	}
	<-b.stop()
	for _, kind := range []string{`"malformed request"`, `"PROXY protocol"`, `"request head too long"`, "origin"} {
		total, lines := 0, 0
		for line := range strings.Lines(log.String()) {
			_, count, ok := strings.Cut(line, `msg="a request was refused" reason=`+kind+" count=")
			if !ok {
				continue
			}
			n := 0
			if _, err := fmt.Sscan(count, &n); err != nil {
				t.Fatal(err)
			}
			total, lines = total+n, lines+1
		}
		if most := 2 + int(time.Since(began)/time.Second); total != 20 || lines > most { // one a second
			t.Errorf("%s: %d lines stand for %d", kind, lines, total)
		}
	}
	if !strings.Contains(log.String(), "--proxy-protocol") {
		t.Error("a PROXY line is not told about the flag")
	}
}

func TestAPingMayHaveWhiteSpaceAroundIt(t *testing.T) {
	b := startBridge(t, "amqp://127.0.0.1:1/")
	c := dial(t, b.addr)
	for _, ping := range []string{"ping", "ping\n", " ping\r\n", "\tping "} {
		c.say(ping)
		if got := string(c.text()); got != "pong" {
			t.Errorf("%q is answered with %s", ping, got)
		}
	}
}

func TestTheAdminSeesNoSecretInTheCommandLine(t *testing.T) {
	b := startBridge(t, "amqp://127.0.0.1:1/", func(c *bridge.Config) { c.CommandLine = []string{"clu-ws", "--password", "(hidden)"} })
	if _, got := b.admin(t, "/debug/pprof/cmdline"); got != "clu-ws\x00--password\x00(hidden)" {
		t.Errorf("got %q", got)
	}
}
