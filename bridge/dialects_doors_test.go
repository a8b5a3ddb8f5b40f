package bridge

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/dialect/hightemplar"
	"github.com/clu-ws/clu-ws/bridge/dialect/jararaca"
	"github.com/clu-ws/clu-ws/bridge/dialect/reddit"
	"github.com/clu-ws/clu-ws/bridge/dialect/socketshark"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// dialectDoors are the requests that dialects answer on the clients' port, by pattern. They ask for no
// credential of the section access. With a foreign page's origin each is refused with 403.
var dialectDoors = []struct {
	pattern, authorization string
	want                   int
}{
	{"GET /ht/{$}", "", 400}, // it is for WebSockets
	{"GET /reddit", "", 400},
	{"GET /reddit/", "", 400},
	{"GET /reddit/health", "", 200},
	{"POST /reddit/health", "", 200},
	{"POST /reddit/quiesce", "", 401},
	{"POST /reddit/quiesce", "Basic other", 401},
	{"POST /reddit/quiesce", "Bearer token", 401},
	{"POST /reddit/quiesce", "Basic token", 200},
}

// mountAll mounts all dialects.
func mountAll(t *testing.T, cfg *Config) {
	t.Helper()
	secrets := filepath.Join(t.TempDir(), "secrets.json")
	text := `{"secrets": {"secret/websockets/authorization_key": {"type": "versioned", "current": "abcdefghijklmnopqrstuvwxyz0123456789"}}}`
	if err := os.WriteFile(secrets, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	mount := func(path string, create func(at dialect.Place, h dialect.Host) (dialect.Dialect, error)) {
		at := dialect.Place{Path: path, Rooms: "/live"}
		cfg.Dialects = append(cfg.Dialects, dialect.Mount{Place: at, New: func(h dialect.Host) (dialect.Dialect, error) { return create(at, h) }})
	}
	mount("/shark", func(at dialect.Place, h dialect.Host) (dialect.Dialect, error) {
		return socketshark.New(&socketshark.Config{}, at, h)
	})
	mount("/ht/", func(at dialect.Place, h dialect.Host) (dialect.Dialect, error) {
		return hightemplar.New(&hightemplar.Config{APIURL: "http://127.0.0.1:1/"}, at, h)
	})
	mount("/reddit", func(at dialect.Place, h dialect.Host) (dialect.Dialect, error) {
		return reddit.New(&reddit.Config{Secrets: secrets, AdminToken: "token"}, at, h)
	})
	mount("/jar", func(at dialect.Place, h dialect.Host) (dialect.Dialect, error) {
		return jararaca.New(&jararaca.Config{Routes: []jararaca.Route{{Path: "/jar/{room}", Join: []string{"{room}"}}}}, at, h)
	})
}

// dialectUpgrades are upgrades at the paths of dialects.
var dialectUpgrades = []struct {
	path string
	want int
}{
	{"/shark", 101}, {"/shark/any", 101}, {"/shark/../shark", 400}, {"/shark/%2f", 400},
	{"/ht", 308}, {"/ht/", 500}, {"/ht/other", 404}, // nothing listens at its API
	{"/reddit/a", 403}, {"/reddit/a?m=x", 403},
	{"/jar/a", 101}, {"/jar", 403}, {"/jar/a/b", 403},
	{"/live/a", 403}, // its rooms are no way past it
}

func TestTheDoorsOfDialects(t *testing.T) {
	t.Parallel()
	for name, guarded := range map[string]bool{"without access control": false, "with it": true} {
		t.Run(name, func(t *testing.T) {
			h := &accessHarness{bridgeHarness: newHarnessWith(t, func(cfg *Config, _ *testkit.Clock) {
				cfg.Sources, cfg.Origins, cfg.TrustedProxies = []rooms.Source{{Exchange: "live"}}, []string{"https://own.example"}, []string{"127.0.0.1"}
				mountAll(t, cfg)
				if guarded {
					var err error
					if cfg.Access, err = access.New(access.Config{Roles: testRoles, Anonymous: "viewer"}, access.Options{}); err != nil {
						t.Fatal(err)
					}
				}
			})}
			h.checkDialectUpgrades(t)
			h.checkDialectRoutes(t)
		})
	}
}

func (h *accessHarness) checkDialectRoutes(t *testing.T) {
	t.Helper()
	known := map[string]bool{}
	for _, d := range dialectDoors {
		known[d.pattern] = true
		again := d.want
		if d.authorization == "Basic token" {
			again = http.StatusGone // it is quiesced
		}
		for _, with := range []struct {
			fields string
			want   int
		}{
			{"Origin: https://foreign.example", http.StatusForbidden},
			{"Forwarded: for=10.0.0.1\nX-Forwarded-For: 10.0.0.2", http.StatusBadRequest},
			{"", d.want},
			{"Origin: https://own.example", again},
		} {
			if got, body := h.ask(t, d.pattern, d.authorization, with.fields); got != with.want {
				t.Errorf("%s with %q and %q is answered with %d %s, want %d", d.pattern, d.authorization, with.fields, got, body, with.want)
			}
		}
	}
	mux := newRouter()
	h.routeDialects(mux)
	for _, pattern := range mux.patterns {
		if !known[pattern] {
			t.Errorf("the route %s has no row in the table of doors: who may use it?", pattern)
		}
	}
	if len(mux.patterns) != len(known) {
		t.Errorf("there are %d routes, %d are known", len(mux.patterns), len(known))
	}
}

// ask sends a request to the clients' port, with fields in lines.
func (h *accessHarness) ask(t *testing.T, pattern, authorization, fields string) (int, string) {
	t.Helper()
	method, path, _ := strings.Cut(strings.TrimSuffix(pattern, "{$}"), " ")
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+h.addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	for line := range strings.Lines(fields) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		r.Header.Set(name, value)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

func (h *accessHarness) checkDialectUpgrades(t *testing.T) {
	t.Helper()
	h.t = t
	for _, d := range dialectUpgrades {
		if got, reason := h.status(d.path, nil); got != d.want {
			t.Errorf("%s is answered with %d %s, want %d", d.path, got, reason, d.want)
		}
		if d.want == http.StatusBadRequest {
			continue
		}
		if got, reason := h.status(d.path, http.Header{"Origin": {"https://foreign.example"}}); got != http.StatusForbidden {
			t.Errorf("%s from a foreign page is answered with %d %s", d.path, got, reason)
		}
		conflict := http.Header{"Forwarded": {"for=10.0.0.1"}, "X-Forwarded-For": {"10.0.0.2"}}
		if got, reason := h.status(d.path, conflict); got != http.StatusBadRequest {
			t.Errorf("%s by a proxy that names two clients is answered with %d %s", d.path, got, reason)
		}
	}
}
