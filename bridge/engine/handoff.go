package engine

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// handoff is the way out for requests that are no WebSocket upgrade: a listener
// whose connections come from the loops, served by net/http.
type handoff struct {
	server *http.Server
	conns  chan net.Conn
	served chan struct{}

	closing sync.Once
	closed  chan struct{}
}

func newHandoff(handler http.Handler, log *slog.Logger) *handoff {
	h := &handoff{
		conns:  make(chan net.Conn, 128),
		served: make(chan struct{}),
		closed: make(chan struct{}),
	}
	h.server = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	// A connection that has served a page could not become a WebSocket: proxies
	// that keep connections would run into it.
	h.server.SetKeepAlivesEnabled(false)
	go func() {
		defer close(h.served)
		if err := h.server.Serve(h); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the HTTP server ended", "error", err)
		}
	}()
	return h
}

func (h *handoff) shutdown(ctx context.Context) error {
	err := h.server.Shutdown(ctx)
	if err != nil {
		h.server.Close()
	}
	<-h.served
	return err
}

// discard closes what was handed over too late.
func (h *handoff) discard() {
	for {
		select {
		case c := <-h.conns:
			c.Close()
		default:
			return
		}
	}
}

// Accept, Close and Addr make it a [net.Listener].
func (h *handoff) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *handoff) Close() error {
	h.closing.Do(func() { close(h.closed) })
	return nil
}

func (h *handoff) Addr() net.Addr { return &net.TCPAddr{} }

// replayConn gives the bytes that a loop has read already, then the socket's.
type replayConn struct {
	net.Conn
	read []byte
}

func (c *replayConn) Read(p []byte) (int, error) {
	if len(c.read) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.read)
	if c.read = c.read[n:]; len(c.read) == 0 {
		c.read = nil
	}
	return n, nil
}

// busy answers a request when too many wait for net/http.
var busy = []byte("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n")

// give hands a connection over, with what was read from it. It is false when
// too many wait already; then the connection is still the caller's.
func (h *handoff) give(socket net.Conn, read []byte) bool {
	select {
	case h.conns <- &replayConn{socket, append([]byte(nil), read...)}:
		return true
	default:
		return false
	}
}

// upgradeRequired answers requests where there is nothing but WebSocket.
func upgradeRequired(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Upgrade", "websocket")
	w.Header().Set("Connection", "Upgrade")
	http.Error(w, "This is a WebSocket server: connect with ws:// or wss://.", http.StatusUpgradeRequired)
}
