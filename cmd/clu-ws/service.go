package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
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
	doors  doors           // where clients arrive
	admin  *listen.Address // where the admin's requests do; nil for nowhere
	bridge bridge.Config
	broker *broker.Broker
	// brokerURL is the embedded broker's, with its login.
	brokerURL string
	greeting  string // printed once the doors are open
	stdout    io.Writer
	log       *slog.Logger
}

// announceAfter is how long the line that says where the bridge listens waits to
// tell the result of the first try to link.
const announceAfter = 1500 * time.Millisecond

func newService(c *cli.Context, stdout, stderr io.Writer) (*service, error) {
	if c.Args().Present() {
		return nil, fmt.Errorf("%q is not understood; see %s --help", c.Args().First(), c.Command.HelpName)
	}
	doors, err := readDoors(c)
	if err != nil {
		return nil, err
	}
	level, err := logLevel(c)
	if err != nil {
		return nil, err
	}
	return &service{doors: doors, stdout: stdout, log: newLogger(level, stderr)}, nil
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
	listeners, err := s.doors.open(ctx, s.log)
	if err != nil {
		return err
	}
	fmt.Fprint(s.stdout, s.greeting)
	s.doors.secure(listeners, s.log)
	s.bridge.Logger, s.bridge.Version = s.log, release
	var adminListener net.Listener
	if s.admin != nil {
		if adminListener, err = s.openAdmin(ctx); err != nil {
			closeAll(listeners)
			return err
		}
	}
	manager, err := listen.FindManager()
	if err != nil {
		s.log.Warn("systemd is not told how the bridge is", "error", err)
	}
	defer attend(ctx, manager, s.doors.certificate, s.log)()
	var b *bridge.Bridge
	told := &teller{ctx: ctx, manager: manager, failFast: s.bridge.FailFast,
		announce: func(state amqpx.State) { s.announce(listeners, b.Name(), state) }}
	s.bridge.OnLink = told.of
	if b, err = bridge.New(s.bridge); err != nil {
		closeAll(append(listeners, adminListener))
		return err
	}
	if adminListener != nil {
		defer serveAdmin(adminListener, b.Admin(), s.log)()
	}
	for i, ln := range listeners {
		if err := b.Listen(ln); err != nil {
			closeAll(listeners[i:])
			return errors.Join(err, b.Close())
		}
	}
	s.warnIfOpen(listeners)
	late := time.AfterFunc(announceAfter, told.late)
	defer late.Stop()
	return b.Run(ctx)
}

// teller tells of the link to the broker: with the first word about it the
// bridge is there, whether linked or not.
type teller struct {
	ctx      context.Context
	manager  *listen.Manager
	failFast bool
	announce func(amqpx.State)

	mu   sync.Mutex // guards the following field
	told bool
}

// of tells of a state of the link.
func (t *teller) of(state amqpx.State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tell(state)
}

// late tells that there is no word, unless there was one.
func (t *teller) late() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.told {
		t.tell(amqpx.State{Err: errors.New("no answer yet")})
	}
}

// tell is of, with mu held.
func (t *teller) tell(state amqpx.State) {
	switch {
	case t.ctx.Err() != nil:
		// The bridge ends.
	case t.told:
		t.manager.Status(linkWords(state))
	case t.failFast && !state.Up:
		// It tries the next broker, or ends.
	default:
		t.told = true
		t.announce(state)
		t.manager.Ready(linkWords(state))
	}
}

// announce says on one line where the bridge listens and to what it is linked.
func (s *service) announce(listeners []net.Listener, name string, state amqpx.State) {
	var at []string
	for _, ln := range listeners {
		at = append(at, listen.URLs(ln))
	}
	fmt.Fprintf(s.stdout, "clu-ws %s listens at %s as %s, %s, exchange %s\n",
		release, strings.Join(at, ", "), name, linkWords(state), s.bridge.Exchange)
}

func linkWords(state amqpx.State) string {
	if !state.Up {
		return fmt.Sprintf("NOT LINKED (%v), trying on", state.Err)
	}
	return "linked to " + state.Broker
}

// warnIfOpen names the listeners that other machines may reach.
func (s *service) warnIfOpen(listeners []net.Listener) {
	var open []string
	for _, ln := range listeners {
		if listen.BeyondLoopback(ln) {
			open = append(open, ln.Addr().String())
		}
	}
	if len(open) > 0 {
		s.log.Warn("commands are open to everyone who can reach this address; use --host 127.0.0.1 behind a proxy, or a firewall", "address", strings.Join(open, ", "))
	}
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
