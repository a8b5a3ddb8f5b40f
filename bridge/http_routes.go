package bridge

import (
	"io"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// router routes requests like [http.ServeMux], and knows its patterns: a test holds each of them
// to a decision about who may use it.
type router struct {
	mux      *http.ServeMux
	patterns []string
	wrong    error // why not all requests are routed
}

func newRouter() *router { return &router{mux: http.NewServeMux()} }

// Handle registers the handler of a pattern.
func (r *router) Handle(pattern string, h http.Handler) {
	r.patterns = append(r.patterns, pattern)
	r.mux.Handle(pattern, h)
}

// HandleFunc registers a function as the handler of a pattern.
func (r *router) HandleFunc(pattern string, h http.HandlerFunc) { r.Handle(pattern, h) }

// ServeHTTP implements [http.Handler].
func (r *router) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.mux.ServeHTTP(w, req) }

// Admin returns the handler for operators: /metrics for Prometheus, /metrics/keywords with the values
// of keywords, /healthz, /readyz, Go's profiles below /debug/pprof/, and the API below /api/. With access control, the values and the API take
// credentials as the clients' port does, and profiles are for clients that may administer the
// bridge. Without it there is none except against web pages (http_guard.go): serve it only where only
// operators can reach it.
func (b *Bridge) Admin() http.Handler { return b.guardAdmin(b.adminRoutes()) }

func (b *Bridge) adminRoutes() *router {
	mux := newRouter()
	mux.Handle("GET /metrics", promhttp.HandlerFor(b.metrics.registry, promhttp.HandlerOpts{Registry: b.metrics.registry, EnableOpenMetrics: true}))
	mux.HandleFunc("GET "+keywordMetricsPath, b.keywordMetrics)
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
		_, _ = w.Write([]byte("clu-ws " + b.cfg.Version + ", " + b.cfg.Name + "\n\n/metrics\n/metrics/keywords\n/healthz\n/readyz\n/debug/pprof/\n/api/values\n/api/publish\n/api/command\n/api/kick\n"))
	})
	return mux
}

// serveAPI adds the routes of the HTTP API. The answer to a request that fails is an [apiError].
func (b *Bridge) serveAPI(mux *router) {
	mux.HandleFunc("POST /api/publish", b.apiHandler(b.apiPublish))
	mux.HandleFunc("POST /api/command", b.apiHandler(b.apiCommand))
	mux.HandleFunc("POST /api/kick", b.apiHandler(b.apiKick))
	mux.HandleFunc(valuesPath, b.apiValues)
	mux.HandleFunc("/api/kick", onlyMethod(http.MethodPost))
	mux.HandleFunc("/api/publish", onlyMethod(http.MethodPost))
	mux.HandleFunc("/api/command", onlyMethod(http.MethodPost))
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		writeAPI(w, http.StatusNotFound, protocol.JSON(apiError{Error: "there is nothing here; there are /api/values, /api/publish, /api/command and /api/kick"}))
	})
}

// clientRoutes routes the requests on the clients' port that are not for a WebSocket. They need no
// credential: a page must load before a user can log in on it.
func (b *Bridge) clientRoutes(page http.Handler) *router {
	mux := newRouter()
	mux.HandleFunc("GET /healthz", b.healthz(health.public))
	mux.HandleFunc("GET /readyz", b.readyz(health.public))
	mux.HandleFunc("GET /api/", func(w http.ResponseWriter, _ *http.Request) {
		writeAPI(w, http.StatusNotFound, protocol.JSON(apiError{Error: "the HTTP API is not at this address, but at that of the admin server (--admin)"}))
	})
	if b.cfg.Access != nil {
		mux.HandleFunc("GET /whoami", b.whoami)
		mux.HandleFunc("OPTIONS /whoami", b.whoami)
	}
	b.routeDialects(mux)
	switch {
	case slices.Contains(mux.patterns, "GET /"): // a dialect has all paths
	case page != nil:
		mux.Handle("GET /", page)
	default:
		mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Upgrade", "websocket")
			http.Error(w, "This is a clu-ws bridge: connect with ws:// or wss://.", http.StatusUpgradeRequired)
		})
	}
	return mux
}

// commandLine serves /debug/pprof/cmdline as pprof does, but without secrets.
func (b *Bridge) commandLine(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	// An error means that the client is gone.
	_, _ = io.WriteString(w, strings.Join(b.cfg.CommandLine, "\x00"))
}
