package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/listen"
)

// openAdmin opens the admin server's listener.
func (s *service) openAdmin(ctx context.Context) (net.Listener, error) {
	ln, err := listen.Open(ctx, *s.admin, listen.Options{Mode: 0o660})
	switch {
	case err == nil:
		return ln, nil
	case s.admin.Network == "tcp":
		return nil, listenError("the admin server", s.admin.Name, "choose another --admin", err)
	}
	return nil, fmt.Errorf("the admin server cannot listen at %s: %w", s.admin, err)
}

// Timeouts of admin requests. A response may wait an hour for a command's end, or for
// a profile; the bridge bounds other responses itself. There is no ReadTimeout,
// because it would end such a wait.
const (
	adminHeadTimeout  = 10 * time.Second
	adminWriteTimeout = time.Hour + time.Minute
	adminIdleTimeout  = 2 * time.Minute
	// adminGrace is how long requests may take to end when the server stops. The
	// bridge has answered those that waited for a command's end.
	adminGrace = time.Second
)

// serveAdmin serves admin requests until it is stopped. They are guarded if there is access
// control.
func serveAdmin(ln net.Listener, h http.Handler, guarded bool, log *slog.Logger) (stop func()) {
	server := &http.Server{
		Handler: h, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: adminHeadTimeout, WriteTimeout: adminWriteTimeout, IdleTimeout: adminIdleTimeout,
		ConnContext: engine.ConnContext,
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the admin server failed", "error", err)
		}
	}()
	log.Info("serving metrics and health", "address", ln.Addr().String())
	if listen.BeyondLoopback(ln) && !guarded {
		log.Warn("commands, profiles and metrics are open to everyone who can reach this address; use --admin 127.0.0.1:9877, or a firewall", "address", ln.Addr().String())
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), adminGrace)
		defer cancel()
		_ = server.Shutdown(ctx) // Close ends the rest
		server.Close()
		<-ended
	}
}
