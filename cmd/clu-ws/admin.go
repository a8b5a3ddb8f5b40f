package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/listen"
)

const catAdmin = "For who looks after it"

func adminFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "admin", EnvVars: env("admin"), Category: catAdmin, Usage: "`WHERE` to serve /metrics for Prometheus, /healthz, /readyz, Go's profiles and an API that sends commands, such as 127.0.0.1:9877 or unix:/path/to/socket; for those who may see and do everything"},
		&cli.IntFlag{Name: "shed-rate", Value: 500, EnvVars: env("shed-rate"), Category: catAdmin, Usage: "`CLIENTS` closed a second when the bridge ends; more, if the time is short"},
		&cli.DurationFlag{Name: "drain-timeout", Value: 30 * time.Second, EnvVars: env("drain-timeout"), Category: catAdmin, Usage: "`TIME` that the end may take"},
		&cli.BoolFlag{Name: "log-commands", Value: true, EnvVars: env("log-commands"), Category: catAdmin, Usage: "log each command: consumer, id, client, first word and outcome; --log-commands=false turns it off"},
	}
}

// readDrain reads how the bridge ends.
func readDrain(c *cli.Context, cfg *bridge.Config) error {
	d := &cfg.Drain
	if d.ShedRate = c.Int("shed-rate"); d.ShedRate < 1 {
		return fmt.Errorf("--shed-rate %d must be at least 1", d.ShedRate)
	}
	if d.Timeout = c.Duration("drain-timeout"); d.Timeout < minDuration {
		return fmt.Errorf("--drain-timeout %v must be at least %v", d.Timeout, minDuration)
	}
	return nil
}

// adminAddr reads where the admin's requests arrive; nil is nowhere.
func adminAddr(c *cli.Context) (*listen.Address, error) {
	if c.String("admin") == "" {
		return nil, nil
	}
	a, err := listen.ParseAddress(c.String("admin"))
	if err != nil {
		return nil, fmt.Errorf("--admin: %w", err)
	}
	return &a, nil
}

// openAdmin listens at the admin's address.
func (s *service) openAdmin(ctx context.Context) (net.Listener, error) {
	ln, err := listen.Open(ctx, *s.admin, listen.Options{Mode: 0o660})
	if err != nil && s.admin.Network == "tcp" {
		return nil, listenError("the admin's server", s.admin.Name, "choose another --admin", err)
	}
	if err != nil {
		return nil, fmt.Errorf("the admin's server cannot listen at %s: %w", s.admin, err)
	}
	return ln, nil
}

// Timeouts of admin requests. An answer may wait an hour for a command's end, or for a
// profile; the bridge bounds other answers itself. There is no ReadTimeout, because it
// would end such a wait.
const (
	adminHeadTimeout  = 10 * time.Second
	adminWriteTimeout = time.Hour + time.Minute
	adminIdleTimeout  = 2 * time.Minute
)

// serveAdmin answers the admin's requests until it is told to stop.
func serveAdmin(ln net.Listener, h http.Handler, log *slog.Logger) (stop func()) {
	server := &http.Server{
		Handler: h, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: adminHeadTimeout, WriteTimeout: adminWriteTimeout, IdleTimeout: adminIdleTimeout,
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the admin's server ended", "error", err)
		}
	}()
	log.Info("metrics and health", "address", ln.Addr().String())
	if listen.BeyondLoopback(ln) {
		log.Warn("commands, profiles and metrics are open to everyone who can reach this address; use --admin 127.0.0.1:9877, or a firewall", "address", ln.Addr().String())
	}
	return func() {
		// Requests that waited for a command's end are answered now.
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
		server.Close()
		<-ended
	}
}
