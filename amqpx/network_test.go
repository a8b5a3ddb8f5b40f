package amqpx

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// network is a network in which each address behaves as the test says.
type network struct {
	mu    sync.Mutex
	hosts map[string]func(ctx context.Context) (net.Conn, error) // by host:port
	tries map[string]int
}

func newNetwork() *network {
	return &network{hosts: map[string]func(context.Context) (net.Conn, error){}, tries: map[string]int{}}
}

func (n *network) set(address string, behave func(context.Context) (net.Conn, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[address] = behave
}

func (n *network) tried(address string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.tries[address]
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	n.tries[address]++
	behave := n.hosts[address]
	n.mu.Unlock()
	if behave == nil {
		behave = refuses
	}
	return behave(ctx)
}

func refuses(context.Context) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

// blackHole never answers.
func blackHole(ctx context.Context) (net.Conn, error) {
	<-ctx.Done()
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
}

// accepts connects to a server with the given behaviour.
func accepts(serve func(net.Conn)) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) {
		client, server := net.Pipe()
		go serve(server)
		return &piped{Conn: client}, nil
	}
}

// piped returns the errors that a TCP connection returns.
type piped struct {
	net.Conn
	closed atomic.Bool
}

func (p *piped) Close() error {
	p.closed.Store(true)
	return p.Conn.Close()
}

func (p *piped) SetDeadline(at time.Time) error {
	_ = p.Conn.SetDeadline(at) // an error if the other end has hung up
	return nil
}

func (p *piped) Write(b []byte) (int, error) {
	n, err := p.Conn.Write(b)
	switch {
	case err != nil && p.closed.Load():
		err = net.ErrClosed
	case errors.Is(err, io.ErrClosedPipe):
		err = syscall.EPIPE
	}
	return n, err
}

func mute(c net.Conn)    { _, _ = io.Copy(io.Discard, c) }
func hangsUp(c net.Conn) { c.Close() }

func brokerAt(b *broker.Broker) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) { return b.Dial("", "") }
}

// testLink is a link in a network, within a synctest bubble, whose time is virtual.
type testLink struct {
	*Link
	*network
	states chan State
	log    *strings.Builder // to be read when Run has ended
	stop   func()
}

// linkTo runs a link to the URLs. The host name "broker" has the given addresses.
func linkTo(t *testing.T, n *network, addresses []string, urls ...string) *testLink {
	t.Helper()
	l := &testLink{network: n, states: make(chan State, 1000), log: &strings.Builder{}}
	var err error
	l.Link, err = New(Config{
		URLs: urls, Name: "link", Exchange: "test",
		Lookup: func(_ context.Context, host string) (found []netip.Addr, err error) {
			if host != "broker" {
				return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
			}
			for _, a := range addresses {
				found = append(found, netip.MustParseAddr(a))
			}
			return found, nil
		},
		OnState: func(s State) { l.states <- s },
		Logger:  slog.New(slog.NewTextHandler(l.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	l.dialTCP = n.dial
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = l.Run(ctx)
	}()
	l.stop = func() { cancel(); <-ended }
	t.Cleanup(l.stop)
	return l
}

// up waits until the link is up, and returns how long that took.
func (l *testLink) up() time.Duration {
	began := time.Now()
	for s := range l.states {
		if s.Up {
			break
		}
	}
	return time.Since(began)
}

// pass lets the time of a bubble pass.
func pass(d time.Duration) { <-time.After(d) }

// bubble runs a test with an embedded broker in virtual time.
func bubble(t *testing.T, test func(t *testing.T, n *network, b *broker.Broker)) {
	t.Helper()
	testkit.Bubble(t, func(t *testing.T) {
		b := broker.New(broker.Config{})
		t.Cleanup(func() { _ = b.Close() })
		test(t, newNetwork(), b)
	})
}
