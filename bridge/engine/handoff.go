package engine

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of the requests that net/http serves concurrently; more are answered with 503.
const (
	maxHTTPRequests = 256
	// maxVitalRequests is how many vital requests are served in addition.
	maxVitalRequests = 32
)

// handoff passes ordinary HTTP requests to net/http: it is a listener whose connections
// come from the loops.
type handoff struct {
	active atomic.Int32 // requests being served
	vital  func(r *Request) bool
	log    *slog.Logger
	server *http.Server
	conns  chan net.Conn
	closed chan struct{}
}

func newHandoff(cfg *Config, vital func(*Request) bool) *handoff {
	h := &handoff{
		vital:  vital,
		log:    cfg.Logger,
		conns:  make(chan net.Conn, maxHTTPRequests+maxVitalRequests), // so that no send blocks
		closed: make(chan struct{}),
	}
	h.server = &http.Server{
		Handler:           withTLS(cfg.HTTP),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelDebug),
		ConnContext:       withConn,
	}
	// A connection that has served a page cannot become a WebSocket, so a proxy must not
	// reuse it.
	h.server.SetKeepAlivesEnabled(false)
	return h
}

// run serves until the server is shut down.
func (h *handoff) run() {
	if err := h.server.Serve(h); !errors.Is(err, http.ErrServerClosed) {
		h.log.Error("the HTTP server ended", "error", err)
	}
}

func (h *handoff) shutdown(ctx context.Context) error {
	err := h.server.Shutdown(ctx)
	if err != nil {
		h.server.Close()
	}
	return err
}

// discard closes connections that came too late to be served.
func (h *handoff) discard() {
	for len(h.conns) > 0 {
		(<-h.conns).Close()
	}
}

// Accept, Close and Addr implement [net.Listener].
func (h *handoff) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close is called once, by the server.
func (h *handoff) Close() error {
	close(h.closed)
	return nil
}

func (h *handoff) Addr() net.Addr { return &net.TCPAddr{} }

// replayConn is a connection that first returns the bytes that a loop has read already.
type replayConn struct {
	net.Conn
	io.Reader
	socket  net.Conn // below TLS, if there is TLS
	client  netip.AddrPort
	tag     any
	unix    bool   // as in [Request]
	release func() // called once when it is closed
}

// RemoteAddr returns the client's address, which may be from a PROXY header.
func (c *replayConn) RemoteAddr() net.Addr {
	if c.client.IsValid() {
		return net.TCPAddrFromAddrPort(c.client)
	}
	return c.Conn.RemoteAddr()
}

func (c *replayConn) Close() error {
	c.release()
	return c.Conn.Close()
}

type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c.(*replayConn))
}

// withTLS sets a request's TLS, which net/http does only for a plain [tls.Conn].
func withTLS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := r.Context().Value(connKey{}).(*replayConn); r.TLS == nil {
			if conn, ok := c.Conn.(*tls.Conn); ok {
				state := conn.ConnectionState()
				r.TLS = &state
			}
		}
		next.ServeHTTP(w, r)
	})
}

// TagFromContext returns the tag of the listener that accepted a request of [Config.HTTP],
// given the request's context.
func TagFromContext(ctx context.Context) any {
	if c, ok := ctx.Value(connKey{}).(*replayConn); ok {
		return c.tag
	}
	return nil
}

func (c *replayConn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// busyResponse is the response when net/http has too many requests.
var busyResponse = []byte("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n")

// acquire reserves capacity for a request. It returns false if too many are being served.
func (h *handoff) acquire(r *Request) bool {
	most := int32(maxHTTPRequests)
	if h.vital(r) {
		most += maxVitalRequests
	}
	if h.active.Add(1) > most {
		h.active.Add(-1)
		return false
	}
	return true
}

// release returns it.
func (h *handoff) release() { h.active.Add(-1) }

// serve passes a connection to net/http, with its socket, its request, for which acquire
// succeeded, and the bytes read after it.
func (h *handoff) serve(conn, socket net.Conn, r *Request, rest []byte) {
	all := io.MultiReader(bytes.NewReader(slices.Concat(r.head, rest)), conn)
	h.conns <- &replayConn{Conn: conn, Reader: all, socket: socket, client: r.client, tag: r.tag, unix: r.unix, release: sync.OnceFunc(h.release)}
}

// serveUpgradeRequired answers requests if there is nothing but WebSocket.
func serveUpgradeRequired(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Upgrade", "websocket")
	w.Header().Set("Connection", "Upgrade")
	http.Error(w, "This is a WebSocket server: connect with ws:// or wss://.", http.StatusUpgradeRequired)
}
