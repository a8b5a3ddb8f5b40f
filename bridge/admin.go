package bridge

import (
	"io"
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// commandLine serves /debug/pprof/cmdline as pprof does, but without secrets.
func (b *Bridge) commandLine(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	// An error means that the client is gone.
	_, _ = io.WriteString(w, strings.Join(b.cfg.CommandLine, "\x00"))
}

// Admin returns the handler for operators: /metrics for Prometheus, /healthz, /readyz, Go's
// profiles below /debug/pprof/, and the API below /api/. With access control, the API takes
// credentials as the clients' port does, and profiles are for clients that may administer the
// bridge. Without it there is none except against web pages (guard.go): serve it only where only
// operators can reach it.
func (b *Bridge) Admin() http.Handler { return b.guardAdmin(b.adminRoutes()) }

func (b *Bridge) adminRoutes() *router {
	mux := newRouter()
	mux.Handle("GET /metrics", promhttp.HandlerFor(b.metrics.registry, promhttp.HandlerOpts{Registry: b.metrics.registry}))
	mux.HandleFunc("GET /healthz", b.healthz(health.full))
	mux.HandleFunc("GET /readyz", b.readyz(health.full))
	b.serveAPI(mux)
	mux.HandleFunc("GET /debug/pprof/", b.forAdmins(pprof.Index))
	mux.HandleFunc("GET /debug/pprof/cmdline", b.forAdmins(b.commandLine))
	mux.HandleFunc("GET /debug/pprof/profile", b.forAdmins(pprof.Profile))
	mux.HandleFunc("GET /debug/pprof/symbol", b.forAdmins(pprof.Symbol))
	mux.HandleFunc("GET /debug/pprof/trace", b.forAdmins(pprof.Trace))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		// An error means that the client is gone.
		_, _ = w.Write([]byte("clu-ws " + b.cfg.Version + ", " + b.cfg.Name + "\n\n/metrics\n/healthz\n/readyz\n/debug/pprof/\n/api/publish\n/api/command\n/api/kick\n"))
	})
	return mux
}
