package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// admin returns the address of the admin server, from the log.
func (c child) admin(t *testing.T) string {
	t.Helper()
	return field(c.await(t, "metrics and health"), "address=")
}

// field returns the value of a key of a line of the log.
func field(line, key string) string {
	_, rest, _ := strings.Cut(line, key)
	value, _, _ := strings.Cut(rest, " ")
	return strings.TrimSpace(value)
}

// adminGet returns what the admin server answers.
func (c child) adminGet(t *testing.T, path string) string {
	t.Helper()
	text, err := get(t, &http.Transport{}, "http://"+c.admin(t)+path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// awaitMetric waits until the metrics have a line.
func (c child) awaitMetric(t *testing.T, line string) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, line, func() error { // many replies may lie before it
		if !strings.Contains(c.adminGet(t, "/metrics"), "\n"+line+"\n") {
			return errors.New("not yet")
		}
		return nil
	})
}

func TestTheAdminServerHasAnAddressOfItsOwn(t *testing.T) {
	p := spawn(t, nil, "--host", "127.0.0.1", "--port", "0", "--admin", "127.0.0.1:0")
	for path, words := range map[string]string{
		"/metrics": "\ncluws_link_up 0\n", "/healthz": `"broker":"down"`, "/readyz": `"ready":false`, "/debug/pprof/": "goroutine", "/": "/metrics",
	} {
		if got := p.adminGet(t, path); !strings.Contains(got, words) {
			t.Errorf("%s does not mention %q:\n%s", path, words, got)
		}
	}
	for _, path := range []string{"/metrics", "/debug/pprof/"} {
		if got, err := get(t, &http.Transport{}, "http://"+p.announcedAddress(t, "http://")+path); err == nil && (strings.Contains(got, "cluws_") || strings.Contains(got, "goroutine")) {
			t.Errorf("clients see %s", path)
		}
	}
	if log := p.Output.String(); strings.Contains(log, "profiles and metrics are open") {
		t.Error("an address on loopback is warned of")
	}
	p.stop(t)
}

func TestTheAdminServerListensOnAUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	p := spawn(t, nil, "--host", "127.0.0.1", "--port", "0", "--admin", "unix:"+path)
	p.await(t, "metrics and health")
	overSocket := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	if got, err := get(t, overSocket, "http://localhost/metrics"); err != nil || !strings.Contains(got, "cluws_info") {
		t.Errorf("%v:\n%s", err, got)
	}
	if got := failure(t, "websocket", "--host", "127.0.0.1", "--port", "0", "-P", "1", "--admin", "unix:"+path); !strings.Contains(got, "the admin server cannot listen at unix:"+path) {
		t.Error(got)
	}
	p.stop(t)
}

func TestAnAdminAddressInUseIsNamed(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	port := freePort(t)
	want := fmt.Sprintf("the admin server cannot listen at %s: another program does; stop it, or choose another --admin", ln.Addr())
	if got := failure(t, "websocket", "--host", "127.0.0.1", "--port", port, "--admin", ln.Addr().String()); got != want {
		t.Error(got)
	}
	again, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatalf("the clients' port is still taken: %v", err)
	}
	again.Close()
}

func TestAnExposedAdminServerIsWarnedOf(t *testing.T) {
	p := spawn(t, nil, "--host", "127.0.0.1", "--port", "0", "--admin", ":0")
	p.await(t, "profiles and metrics are open to everyone who can reach this address")
	p.stop(t)
}
