package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// proxyRecipe is one of docs/deploying.md.
type proxyRecipe struct {
	kind   string // of the proxy
	config string
	starts []string // how the bridges are started
}

// recipesOf returns the recipes of the page by their names.
func recipesOf(t *testing.T) map[string]proxyRecipe {
	t.Helper()
	page, err := os.ReadFile("../../docs/deploying.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]proxyRecipe{}
	form := regexp.MustCompile("(?s)<!-- recipe: (\\S+) -->\n\n```(\\w+)\n(.*?)```\n\n((?:    clu-ws websocket [^\n]*\n)+)")
	for _, found := range form.FindAllStringSubmatch(string(page), -1) {
		r := proxyRecipe{kind: found[2], config: found[3]}
		for line := range strings.Lines(found[4]) {
			r.starts = append(r.starts, strings.TrimPrefix(strings.TrimSpace(line), "clu-ws websocket "))
		}
		all[found[1]] = r
	}
	if marks := strings.Count(string(page), "<!-- recipe: "); len(all) != marks || marks == 0 {
		t.Fatalf("the page has %d recipes, of which %d can be read", marks, len(all))
	}
	return all
}

// deployment is a recipe that runs.
type deployment struct {
	name   string
	at     string // the address of the proxy
	path   string // below which the bridge is
	trust  *x509.CertPool
	starts [][]string // flags of the bridges

	kind, config string // of the proxy
	port         int

	arrived func() map[string]int // commands at the actor, by their ids
}

// limit is the time limit of idle connections in a recipe that a test runs, in seconds. It is much longer than the
// bridge's pings are apart then, so that a busy machine ends no connection.
const limit = 10

// prepare fills in a recipe: ports and files of the test, and limits for which it does not wait long.
func prepare(t *testing.T, name string, r proxyRecipe) *deployment {
	t.Helper()
	certs, dir, port := testkit.NewCertificates(t), testkit.WebFolder(t), testkit.FreePort(t)
	both, socket := filepath.Join(dir, "both.pem"), filepath.Join(dir, "web.sock")
	var text []byte
	for _, file := range []string{certs.ServerCert, certs.ServerKey, certs.CA} {
		part, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, part...)
	}
	if err := os.WriteFile(both, text, 0o600); err != nil {
		t.Fatal(err)
	}
	d := &deployment{name: name, at: fmt.Sprintf("127.0.0.1:%d", port), path: "/", trust: x509.NewCertPool()}
	d.trust.AppendCertsFromPEM(text)
	if found := regexp.MustCompile(`location (\S+) \{`).FindStringSubmatch(r.config); found != nil {
		d.path = found[1]
	}
	group := "?group=" + testkit.WebGroup()
	if testkit.WebGroup() == "" {
		group = ""
	}
	pairs := []string{
		"/etc/ssl/console.example.both.pem", both, "/etc/ssl/console.example.pem", certs.ServerCert, "/etc/ssl/console.example.key", certs.ServerKey,
		"/run/clu-ws/web.sock?group=www-data", socket + group, "/run/clu-ws/web.sock", socket,
		"127.0.0.1:9876", "127.0.0.1:" + freePort(t), "127.0.0.1:9886", "127.0.0.1:" + freePort(t),
		"listen 443 ", "listen " + d.at + " ", "bind :443", "bind " + d.at, "*:443", fmt.Sprint("*:", port),
		"console.example {", fmt.Sprintf("https://console.example:%d {\n\tbind 127.0.0.1\n\ttls %s %s", port, certs.ServerCert, certs.ServerKey),
		" 60s", fmt.Sprintf(" %ds", limit),
	}
	fill := strings.NewReplacer(pairs...)
	for _, start := range r.starts {
		start = strings.Replace(start, "--host 127.0.0.1 --port ", "--listen 127.0.0.1:", 1)
		start = strings.Replace(start, "--host 127.0.0.1 ", "--listen 127.0.0.1:9876 ", 1)
		d.starts = append(d.starts, strings.Fields(fill.Replace(start)))
	}
	config := fill.Replace(r.config)
	if r.kind == "nginx" && !strings.Contains(config, "proxy_read_timeout") { // its default is 60 s, too
		config = strings.Replace(config, "proxy_http_version", fmt.Sprintf("proxy_read_timeout %ds; proxy_http_version", limit), 1)
	}
	if r.kind == "apache" { // as above
		config = fmt.Sprintf("Timeout %d\n", limit) + config
	}
	d.kind, d.config, d.port = r.kind, config, port
	return d
}

// serve starts the proxy, and waits until it serves the console's page, which is that of a bridge.
func (d *deployment) serve(t *testing.T) {
	t.Helper()
	testkit.ReverseProxy(t, d.kind, d.config, d.port)
	testkit.Eventually(t, testkit.Patience, d.name+" serves the page", func() error {
		page, err := d.page(t)
		if err == nil && !strings.Contains(page, "<title>clu-ws</title>") {
			err = fmt.Errorf("it is %.300q", page)
		}
		return err
	})
}

// dialer returns a dialer whose connections come from a local address, in which browsers and programs find the console by
// its name, with fields of the request.
func (d *deployment) dialer(from string, fields http.Header) ws.Dialer {
	local := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	return ws.Dialer{
		Protocols: v1().Protocols, Header: ws.HandshakeHeaderHTTP(fields), TLSConfig: &tls.Config{RootCAs: d.trust, ServerName: "console.example"},
		NetDial: func(ctx context.Context, _, _ string) (net.Conn, error) { return local.DialContext(ctx, "tcp", d.at) },
	}
}

// url is where browsers find the console.
func (d *deployment) url(scheme string) string { return scheme + "://console.example" + d.path }

// page returns the console's page.
func (d *deployment) page(t *testing.T) (string, error) {
	t.Helper()
	return get(t, &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: d.trust},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", d.at)
		},
	}, d.url("https"))
}

// args returns the flags of a bridge at the broker, with more in front.
func (d *deployment) args(bridge int, url string, more ...string) []string {
	return slices.Concat([]string{"websocket", "--url", url}, more, d.starts[bridge])
}
