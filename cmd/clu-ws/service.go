package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
)

// service is what a subcommand runs: a bridge and, where asked for, a broker.
type service struct {
	address string // host:port for clients
	bridge  bridge.Config
	broker  *broker.Broker
	// brokerURL is the embedded broker's, with its login.
	brokerURL string
	greeting  string // printed once the port is the bridge's
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
	address, err := listenAddress(c)
	if err != nil {
		return nil, err
	}
	level, err := logLevel(c)
	if err != nil {
		return nil, err
	}
	return &service{address: address, stdout: stdout, log: newLogger(level, stderr)}, nil
}

// embedBroker starts a broker on the address, for one login.
func (s *service) embedBroker(address, user, password string) error {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return listenError("the embedded broker", address, "--rabbitmq-port", err)
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
	ln, err := net.Listen("tcp", s.address)
	if err != nil {
		return listenError("the bridge", s.address, "--port", err)
	}
	fmt.Fprint(s.stdout, s.greeting)
	s.bridge.Logger = s.log
	var announced sync.Once
	var b *bridge.Bridge
	announce := func(state amqpx.State) {
		announced.Do(func() { s.announce(ln.Addr(), b.Name(), state) })
	}
	s.bridge.OnLink = func(state amqpx.State) {
		if !errors.Is(state.Err, amqpx.ErrEnded) {
			announce(state)
		}
	}
	if b, err = bridge.New(s.bridge); err != nil {
		ln.Close()
		return err
	}
	if err := b.Listen(ln); err != nil {
		ln.Close()
		return errors.Join(err, b.Close())
	}
	late := time.AfterFunc(announceAfter, func() { announce(amqpx.State{Err: errors.New("no answer yet")}) })
	defer late.Stop()
	if !onLoopback(ln.Addr()) {
		s.log.Warn("commands are open to everyone who can reach this address; use --host 127.0.0.1 behind a proxy, or a firewall", "address", ln.Addr().String())
	}
	return b.Run(ctx)
}

// announce says on one line where the bridge listens and to what it is linked.
func (s *service) announce(at net.Addr, name string, state amqpx.State) {
	link := "linked to " + state.Broker
	if !state.Up {
		link = fmt.Sprintf("NOT LINKED (%v), trying on", state.Err)
	}
	fmt.Fprintf(s.stdout, "clu-ws %s listens at http://%s and ws://%s as %s, %s, exchange %s\n",
		release, at, at, name, link, s.bridge.Exchange)
}

func onLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// listenError says why an address cannot be listened on, and what to do.
func listenError(who, address, flag string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s cannot listen at %s: another program does; stop it, or choose another %s", who, address, flag)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s may not listen at %s: ports below 1024 need a privilege; choose another %s", who, address, flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s cannot listen at %s: this machine has no such address", who, address)
	}
	return fmt.Errorf("%s cannot listen at %s: %w", who, address, err)
}
