package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/listen"
	"github.com/clu-ws/clu-ws/internal/eventlog"
	"github.com/clu-ws/clu-ws/internal/gctuner"
	"github.com/clu-ws/clu-ws/terminal"
)

// service is what a subcommand runs: a bridge, with a broker if that is embedded.
type service struct {
	settings
	broker    *broker.Broker // the embedded one, or nil
	brokerURL string         // its URL, with its credentials
	greeting  string         // printed once the listeners are open
	stdout    io.Writer
	log       *slog.Logger
	logLevel  slog.LevelVar
}

// newService reads the flags and the file of --config.
func newService(c *cli.Context, stdout, stderr io.Writer, readers ...settingsReader) (*service, error) {
	read, err := readSettings(c, readers...)
	if err != nil {
		return nil, err
	}
	// The program that reads the log may end, as in "clu-ws websocket 2>&1 | head", or
	// restart, as journald does. The bridge goes on without it.
	signal.Ignore(syscall.SIGPIPE)
	s := &service{settings: *read, stdout: stdout}
	s.logLevel.Set(s.level)
	s.log = newLogger(&s.logLevel, s.format, stderr)
	logKubernetesVariables(flagNames(c), s.log)
	warnOfUnknownVariables(c, s.log)
	warnOfExposed(s.secrets, s.log)
	return s, nil
}

// flagNames returns the names of a subcommand's flags.
func flagNames(c *cli.Context) (names []string) {
	for _, f := range c.Command.Flags {
		names = append(names, f.Names()[0])
	}
	return names
}

// embedBroker starts a broker on the address, for one user.
func (s *service) embedBroker(address, user, password string) error {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return listenError("the embedded broker", address, "choose another --rabbitmq-port", err)
	}
	u := url.URL{Scheme: "amqp", User: url.UserPassword(user, password), Host: ln.Addr().String(), Path: "/"}
	s.brokerURL = u.String()
	s.broker = broker.New(broker.Config{Logger: s.log, Users: map[string]string{user: password}})
	go func() { _ = s.broker.Serve(ln) }() // it ends when the broker is closed
	return nil
}

// serve runs the bridge until the context ends.
func (s *service) serve(ctx context.Context) error {
	if s.broker != nil {
		defer s.broker.Close()
	}
	defer gctuner.Start()()
	if err := s.openAccess(); err != nil {
		return err
	}
	if err := s.openAudit(); err != nil {
		return err
	}
	defer s.closeAudit()
	clients, admin, err := s.open(ctx)
	if err != nil {
		return err
	}
	fmt.Fprint(s.stdout, s.greeting)
	manager, err := listen.ManagerFromEnv()
	if err != nil {
		s.log.Warn("systemd is not notified of the bridge's state", "error", err)
	}
	reporter := &linkReporter{ctx: ctx, manager: manager, failFast: s.bridge.FailFast}
	s.bridge.Logger, s.bridge.Version, s.bridge.OnLink = s.log, releaseVersion, reporter.report
	if s.listeners.certificate != nil {
		s.bridge.CertificateEnd = s.listeners.certificate.End
	}
	b, err := bridge.New(s.bridge)
	if err != nil {
		closeAll(clients)
		if admin != nil {
			admin.Close()
		}
		manager.Close()
		return s.file.place(err)
	}
	keeper := &housekeeper{manager: manager, certificate: s.listeners.certificate, config: s.newReloader(ctx, b), audit: s.bridge.Audit, log: s.log}
	defer keeper.start(ctx)()
	reporter.announce = func(state amqpx.State) { s.announce(clients, b.Name(), state) }
	if admin != nil {
		defer serveAdmin(admin, b.Admin(), s.access != nil, s.log)()
	}
	if err := serveListeners(b, clients); err != nil {
		return errors.Join(err, b.Close())
	}
	s.listeners.warnIfExposed(clients, s.bridge, s.log)
	pending := time.AfterFunc(announceAfter, reporter.reportPending)
	defer pending.Stop()
	return withAdvice(b.Run(ctx))
}

// told logs the error with which the bridge ends, if the log is for a program: main prints a line of text.
func (s *service) told(err error) error {
	if err == nil || s.format != eventlog.JSON && !eventlog.IsJournal(os.Stderr) {
		return err
	}
	s.log.Error("the bridge has ended with an error", "error", err)
	return &terminal.ExitError{Code: terminal.ExitCode(err), Err: terminal.ErrTold}
}

// open opens the listeners of clients and of the admin server, which is nil if there
// is none.
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

// serveListeners passes the listeners to the bridge. After an error, those that the bridge
// has not taken are closed.
func serveListeners(b *bridge.Bridge, all []*listen.Listener) error {
	for i, ln := range all {
		if err := b.ListenWith(ln.Listener, bridge.ListenOptions{Proxy: ln.Proxy, TLS: ln.TLS}); err != nil {
			closeAll(all[i:])
			return err
		}
	}
	return nil
}
