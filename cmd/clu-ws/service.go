package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/listen"
)

// service is what a subcommand runs: a bridge and, where asked for, a broker.
type service struct {
	listeners  listeners           // where clients arrive
	admin  *listen.Address // where the admin's requests do; nil for nowhere
	bridge bridge.Config
	broker *broker.Broker
	// brokerURL is the embedded broker's, with its login.
	brokerURL string
	greeting  string // printed once the doors are open
	stdout    io.Writer
	log       *slog.Logger
}

func newService(c *cli.Context, stdout, stderr io.Writer) (*service, error) {
	if c.Args().Present() {
		return nil, fmt.Errorf("%q is not understood; see %s --help", c.Args().First(), c.Command.HelpName)
	}
	doors, err := readListeners(c)
	if err != nil {
		return nil, err
	}
	level, err := logLevel(c)
	if err != nil {
		return nil, err
	}
	// The reader of the log may be gone, as with "clu-ws websocket 2>&1 | head", or
	// restart, as journald does. The bridge goes on without it.
	signal.Ignore(syscall.SIGPIPE)
	s := &service{listeners: doors, stdout: stdout, log: newLogger(level, stderr)}
	logKubernetesVariables(flagNames(c), s.log)
	return s, nil
}

// flagNames are the names of a subcommand's flags.
func flagNames(c *cli.Context) (names []string) {
	for _, f := range c.Command.Flags {
		names = append(names, f.Names()[0])
	}
	return names
}

// embedBroker starts a broker on the address, for one login.
func (s *service) embedBroker(address, user, password string) error {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return listenError("the embedded broker", address, "choose another --rabbitmq-port", err)
	}
	u := url.URL{Scheme: "amqp", User: url.UserPassword(user, password), Host: ln.Addr().String(), Path: "/"}
	s.brokerURL = u.String()
	s.broker = broker.New(broker.Config{Logger: s.log, Users: map[string]string{user: password}})
	go func() {
		// It ends when the broker is closed, and only then.
		_ = s.broker.Serve(ln)
	}()
	return nil
}

// serve runs the bridge until the context ends.
func (s *service) serve(ctx context.Context) error {
	if s.broker != nil {
		defer s.broker.Close()
	}
	defer startGCTuner()()
	listeners, adminListener, err := s.open(ctx)
	if err != nil {
		return err
	}
	fmt.Fprint(s.stdout, s.greeting)
	manager, err := listen.ManagerFromEnv()
	if err != nil {
		s.log.Warn("systemd is not told how the bridge is", "error", err)
	}
	defer startHousekeeper(ctx, manager, s.listeners.certificate, s.log)()
	told := &linkReporter{ctx: ctx, manager: manager, failFast: s.bridge.FailFast}
	s.bridge.Logger, s.bridge.Version, s.bridge.OnLink = s.log, releaseVersion, told.report
	b, err := bridge.New(s.bridge)
	if err != nil {
		closeAll(listeners)
		if adminListener != nil {
			adminListener.Close()
		}
		return err
	}
	told.announce = func(state amqpx.State) { s.announce(listeners, b.Name(), state) }
	if adminListener != nil {
		defer serveAdmin(adminListener, b.Admin(), s.log)()
	}
	if err := serveListeners(b, listeners); err != nil {
		return errors.Join(err, b.Close())
	}
	s.warnIfOpen(listeners)
	late := time.AfterFunc(announceAfter, told.reportPending)
	defer late.Stop()
	return b.Run(ctx)
}

// open makes the clients' listeners, and the admin's, which is nil for nowhere.
func (s *service) open(ctx context.Context) (clients []*listen.Listener, admin net.Listener, err error) {
	if clients, err = s.listeners.open(ctx, s.log); err != nil {
		return nil, nil, err
	}
	s.listeners.addTLS(clients, s.log)
	if s.admin == nil {
		return clients, nil, nil
	}
	if admin, err = s.openAdmin(ctx); err != nil {
		closeAll(clients)
		return nil, nil, err
	}
	return clients, admin, nil
}

// serveListeners has the bridge serve the listeners. If it cannot, those that are not
// the bridge's are closed.
func serveListeners(b *bridge.Bridge, listeners []*listen.Listener) error {
	for i, ln := range listeners {
		if err := b.ListenWith(ln.Listener, bridge.ListenOptions{Proxy: ln.Proxy, TLS: ln.TLS}); err != nil {
			closeAll(listeners[i:])
			return err
		}
	}
	return nil
}

// listenError says why an address cannot be listened on, and what to do.
func listenError(who, address, choose string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s cannot listen at %s: another program does; stop it, or %s", who, address, choose)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s may not listen at %s: ports below 1024 need a privilege; %s", who, address, choose)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s cannot listen at %s: this machine has no such address", who, address)
	}
	return fmt.Errorf("%s cannot listen at %s: %w", who, address, err)
}
