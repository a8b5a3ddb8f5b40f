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
// profiles below /debug/pprof/, and the API below /api/. It has no access control except
// against web pages (guard.go): serve it only where only operators can reach it.
func (b *Bridge) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(b.metrics.registry, promhttp.HandlerOpts{Registry: b.metrics.registry}))
	mux.HandleFunc("GET /healthz", b.healthz(health.full))
	mux.HandleFunc("GET /readyz", b.readyz(health.full))
	b.serveAPI(mux)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", b.commandLine)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		// An error means that the client is gone.
		_, _ = w.Write([]byte("clu-ws " + b.cfg.Version + ", " + b.cfg.Name + "\n\n/metrics\n/healthz\n/readyz\n/debug/pprof/\n/api/publish\n/api/command\n"))
	})
	return b.guardAdmin(mux)
}
