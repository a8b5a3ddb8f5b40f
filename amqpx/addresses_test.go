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
	"testing/synctest"
	"time"

	"github.com/clu-ws/clu-ws/amqpx/broker"
)

// network is a network in which each address does as it is told.
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

// accepts gives a connection to a server of that behaviour.
func accepts(serve func(net.Conn)) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) {
		client, server := net.Pipe()
		go serve(server)
		return &piped{Conn: client}, nil
	}
}

// piped says what a TCP connection says.
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

// testLink is a link in a network, within a bubble of synctest: its time is not real.
type testLink struct {
	*Link
	*network
	states chan State
	log    *strings.Builder // to be read when the link has ended
	stop   func()
}

// linkTo runs a link to the URLs. The host name "broker" has the addresses given.
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

// up waits until the link stands, and gives how long that took.
func (l *testLink) up() time.Duration {
	began := time.Now()
	for s := range l.states {
		if s.Up {
			break
		}
	}
	return time.Since(began)
}

// bubble runs a test in a time of its own with an embedded broker.
func bubble(t *testing.T, test func(t *testing.T, n *network, b *broker.Broker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := broker.New(broker.Config{})
		t.Cleanup(func() { _ = b.Close() })
		test(t, newNetwork(), b)
	})
}

func TestEveryAddressOfANameIsTried(t *testing.T) {
	for name, c := range map[string]struct {
		first  func(context.Context) (net.Conn, error)
		within time.Duration
		words  string
	}{
		"the first refuses":                    {refuses, 100 * time.Millisecond, "nothing listens at amqp://broker:5672/"},
		"the first does not answer":            {blackHole, nextAddressAfter + 100*time.Millisecond, ""},
		"the first accepts and hangs up":       {accepts(hangsUp), 100 * time.Millisecond, "hung up"},
		"the first accepts and does not speak": {accepts(mute), dialTimeout + 100*time.Millisecond, "does not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
				n.set("[2001:db8::1]:5672", c.first)
				n.set("192.0.2.1:5672", brokerAt(b))
				l := linkTo(t, n, []string{"2001:db8::1", "192.0.2.1"}, "amqp://guest:guest@broker/")
				if took := l.up(); took > c.within {
					t.Errorf("it took %v", took)
				}
				l.stop()
				text := l.log.String()
				if !strings.Contains(text, "address=192.0.2.1") || strings.Contains(text, "level=ERROR") {
					t.Errorf("the log is %s", text)
				}
				if c.words != "" && !(strings.Contains(text, c.words) && strings.Contains(text, "(at 2001:db8::1)")) {
					t.Errorf("the log does not say %q at 2001:db8::1: %s", c.words, text)
				}
			})
		})
	}
}

func TestAnAddressThatWasSilentIsTriedLastNextTime(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
		n.set("192.0.2.1:5672", accepts(mute))
		n.set("192.0.2.2:5672", brokerAt(b))
		l := linkTo(t, n, []string{"192.0.2.1", "192.0.2.2"}, "amqp://guest:guest@broker/")
		l.up()
		for range 3 {
			b.DropConnections()
			if took := l.up(); took > time.Second {
				t.Errorf("again after %v", took)
			}
		}
		if n.tried("192.0.2.1:5672") != 1 {
			t.Errorf("it was tried %d times", n.tried("192.0.2.1:5672"))
		}
	})
}

func TestNoURLHidesTheNext(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
		n.set("10.0.0.1:5672", blackHole)
		n.set("10.0.0.2:5672", blackHole)
		n.set("192.0.2.1:5672", accepts(hangsUp))
		n.set("192.0.2.2:5673", brokerAt(b))
		l := linkTo(t, n, []string{"192.0.2.1"}, "amqp://10.0.0.1/", "amqp://nowhere/", "amqp://10.0.0.2/", "amqp://broker/", "amqp://192.0.2.2:5673/")
		if took := l.up(); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestBothConnectionsAreToTheSameAddress(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
		other := broker.New(broker.Config{})
		t.Cleanup(func() { _ = other.Close() })
		n.set("192.0.2.1:5672", brokerAt(b))
		n.set("192.0.2.2:5672", brokerAt(other))
		l := linkTo(t, n, []string{"192.0.2.1", "192.0.2.2"}, "amqp://guest:guest@broker/")
		l.up()
		if first, second := n.tried("192.0.2.1:5672"), n.tried("192.0.2.2:5672"); first != 2 || second != 0 {
			t.Errorf("%d and %d connections", first, second)
		}
		b.DropConnections()
		l.up() // at the other one: the first has just failed
		if second := n.tried("192.0.2.2:5672"); second != 2 {
			t.Errorf("then %d connections", second)
		}
	})
}

func TestABrokerThatIsBackHasTheLinkWithinTwoSeconds(t *testing.T) {
	for name, away := range map[string]func(context.Context) (net.Conn, error){
		"nothing listened":        refuses,
		"a load balancer hung up": accepts(hangsUp),
	} {
		for name, other := range map[string]func(context.Context) (net.Conn, error){
			name + ", and at the other address":                         away,
			name + ", and the other address does not answer":            blackHole,
			name + ", and the other address accepts and does not speak": accepts(mute),
		} {
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
					n.set("192.0.2.1:5672", away)
					n.set("192.0.2.2:5672", other)
					l := linkTo(t, n, nil, "amqp://guest:guest@192.0.2.1/", "amqp://guest:guest@192.0.2.2/")
					var longest time.Duration
					for range 30 {
						time.Sleep(29 * time.Second)
						n.set("192.0.2.1:5672", brokerAt(b))
						longest = max(longest, l.up())
						n.set("192.0.2.1:5672", away)
						b.DropConnections()
					}
					// One that does not speak keeps the handshake for a while.
					limit := lastPause
					if strings.HasSuffix(name, "speak") {
						limit += yieldAfter
					}
					if longest > limit {
						t.Errorf("the link was back after %v", longest)
					}
				})
			})
		}
	}
}

func TestABrokerThatAnswersAgainHasTheLinkSoon(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
		n.set("192.0.2.1:5672", blackHole)
		n.set("192.0.2.2:5672", blackHole)
		l := linkTo(t, n, nil, "amqp://guest:guest@192.0.2.1/", "amqp://guest:guest@192.0.2.2/")
		for range 30 {
			time.Sleep(29 * time.Second)
			n.set("192.0.2.1:5672", brokerAt(b))
			if took := l.up(); took > connectTimeout+lastPause+nextURLAfter {
				t.Errorf("the link was back after %v", took)
			}
			n.set("192.0.2.1:5672", blackHole)
			b.DropConnections()
		}
	})
}

func TestWhatDoesNotMendItselfIsLeftAloneAndHoldsUpNoOtherAddress(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
		n.set("192.0.2.1:5672", brokerAt(b))
		l := linkTo(t, n, nil, "amqp://guest:wrong@192.0.2.1/", "amqp://guest:guest@192.0.2.2/")
		time.Sleep(time.Minute)
		if tries := n.tried("192.0.2.1:5672"); tries < 5 || tries > 13 {
			t.Errorf("the wrong password was tried %d times in a minute", tries)
		}
		if tries := n.tried("192.0.2.2:5672"); tries < 30 || tries > 70 {
			t.Errorf("the other address was tried %d times in a minute", tries)
		}
		n.set("192.0.2.2:5672", brokerAt(b))
		if took := l.up(); took > lastPause {
			t.Errorf("it took %v", took)
		}
	})
}

func TestFailFastTriesEveryAddressOnce(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, _ *broker.Broker) {
		l, err := New(Config{URLs: []string{"amqp://broker/", "amqp://192.0.2.9/"}, FailFast: true, Logger: slog.New(slog.DiscardHandler),
			Lookup: func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::ffff:192.0.2.2")}, nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		l.dialTCP = n.dial
		if err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "192.0.2.9") {
			t.Errorf("it ended with %v", err)
		}
		for _, address := range []string{"192.0.2.1:5672", "192.0.2.2:5672", "192.0.2.9:5672"} {
			if n.tried(address) != 1 {
				t.Errorf("%s was tried %d times", address, n.tried(address))
			}
		}
	})
}

func TestTheLogIsTheSameInWhateverOrderTheAddressesCome(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, _ *broker.Broker) {
		addresses := []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}
		n.set("192.0.2.2:5672", accepts(hangsUp))
		l := linkTo(t, n, addresses, "amqp://broker/")
		first := (<-l.states).Err.Error()
		const want = "amqp://broker:5672/ hung up; is it an AMQP 0-9-1 broker, and should --ssl be set? (at 192.0.2.2); nothing listens at amqp://broker:5672/; is the broker running? (at 192.0.2.1, 192.0.2.3)"
		if first != want {
			t.Errorf("%s, want %s", first, want)
		}
		l.stop()
		turned := linkTo(t, n, []string{"192.0.2.3", "192.0.2.2", "192.0.2.1"}, "amqp://broker/")
		for range 5 {
			if again := (<-turned.states).Err.Error(); again != want {
				t.Errorf("then %s", again)
			}
		}
		turned.stop()
		if lines := strings.Count(turned.log.String(), "\n"); lines != 1 {
			t.Errorf("the log is %s", turned.log)
		}
	})
}

func TestAddressesOfBothFamiliesAlternate(t *testing.T) {
	parse := func(list string) (addresses []netip.Addr) {
		for a := range strings.FieldsSeq(list) {
			addresses = append(addresses, netip.MustParseAddr(a))
		}
		return addresses
	}
	for given, want := range map[string]string{
		"":                              "",
		"::1 127.0.0.1":                 "::1 127.0.0.1",
		"::1 ::2 ::3 10.0.0.1 10.0.0.2": "::1 10.0.0.1 ::2 10.0.0.2 ::3",
		"10.0.0.1 10.0.0.2 ::1":         "10.0.0.1 ::1 10.0.0.2",
		"::ffff:10.0.0.1 ::1":           "10.0.0.1 ::1",
	} {
		got := interleave(parse(given))
		var texts []string
		for _, a := range got {
			texts = append(texts, a.String())
		}
		if strings.Join(texts, " ") != want {
			t.Errorf("%s becomes %v", given, got)
		}
	}
}

func TestAnErrorOfOneAddressAmongSeveralIsStillMisconfigured(t *testing.T) {
	url := "amqp://broker/"
	err := joinFailures([]failure{
		{target{url: url, address: "192.0.2.1:5672", among: 2}, errors.New("nothing")},
		{target{url: url, address: "192.0.2.2:5672", among: 2}, wrong("a wrong password")},
	})
	if !misconfigured(err) {
		t.Errorf("%v is not", err)
	}
}
