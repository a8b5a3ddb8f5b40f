package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/listen"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestHealthAsksTheBridgeThatTheFlagsDescribe(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "web.sock")
	certificates := testkit.NewCertificates(t)
	cert, key := certificates.ServerCert, certificates.ServerKey
	plain, proxied, admin := freePort(t), freePort(t), freePort(t)
	start(t, "websocket", "--embedded-broker", "-P", "0", "--listen", "0.0.0.0:"+plain, "--listen", "unix:"+socket,
		"--listen", "proxy:127.0.0.1:"+proxied, "--tls-cert", cert, "--tls-key", key, "--admin", "127.0.0.1:"+admin).
		out.await(t, "linked")
	for name, args := range map[string][]string{
		"a flag":          {"--tls-cert", cert, "--tls-key", key, "--listen", "0.0.0.0:" + plain},
		"a proxy's":       {"--tls-cert", cert, "--tls-key", key, "--listen", "proxy:127.0.0.1:" + proxied},
		"the admin's":     {"--admin", "127.0.0.1:" + admin},
		"TLS by a URL":    {"--ready", "https://127.0.0.1:" + plain},
		"a Unix socket":   {"--ready", "unix:" + socket},
		"an address":      {"127.0.0.1:" + admin},
		"an address' URL": {"http://127.0.0.1:" + admin + "/"},
	} {
		if out := output(t, append([]string{"health"}, args...)...); !strings.Contains(out, `"ready":true`) {
			t.Errorf("%s: it says %q", name, out)
		}
	}
	t.Setenv("CLU_WS_ADMIN", "127.0.0.1:"+admin)
	if out := output(t, "health"); !strings.Contains(out, `"name":`) {
		t.Errorf("the admin server of the environment says %q", out)
	}
}

func TestHealthFailsWithTheReason(t *testing.T) {
	p := start(t, "websocket", "-P", "1", "--host", "127.0.0.1", "--port", "0")
	address := p.address(t)
	if out := output(t, "health", address); !strings.Contains(out, `"ready":false`) {
		t.Errorf("a bridge without a broker is alive, and it says %q", out)
	}
	for want, args := range map[string][]string{
		"503 Service Unavailable: {\"ready\":false": {"--ready", address},
		"does not answer": {"127.0.0.1:1"},
		"write flags before it, as in clu-ws health --ready": {address, "--ready"},
		`"more" is not understood`:                           {address, "more"},
		"is not an address":                                  {"nowhere"},
		"--listen: \"nowhere\" is not an address":            {"--listen", "nowhere"},
	} {
		if err := failure(t, append([]string{"health"}, args...)...); !strings.Contains(err, want) {
			t.Errorf("%q: the error is %q, without %q", args, err, want)
		}
	}
}

func TestAnAddressThatStandsForAllIsReachedByLoopback(t *testing.T) {
	for name, want := range map[string]string{
		":1": "127.0.0.1:1", "0.0.0.0:1": "127.0.0.1:1", "[::]:1": "[::1]:1", "[::1]:1": "[::1]:1", "10.0.0.1:1": "10.0.0.1:1", "console:1": "console:1",
	} {
		if got := (healthTarget{Address: listen.Address{Network: "tcp", Name: name}}).reachable(); got != want {
			t.Errorf("%s is asked at %s, not %s", name, got, want)
		}
	}
}
