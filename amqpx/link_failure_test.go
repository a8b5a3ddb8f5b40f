package amqpx_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// oddServer accepts connections and behaves as given. It returns its address.
func oddServer(t *testing.T, behave func(*net.TCPConn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	served.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer conn.Close()
				defer context.AfterFunc(ctx, func() { conn.Close() })()
				behave(conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() { ln.Close(); cancel(); served.Wait() })
	return ln.Addr().String()
}

func reset(c *net.TCPConn) { _ = c.SetLinger(0) }

func silent(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }

// answers reads the protocol header and answers.
func answers(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 8))
		_, _ = io.WriteString(c, text)
	}
}

// resetsAtLogin behaves like a broker up to the login, and then breaks the connection.
func resetsAtLogin(broker string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		upstream, err := net.Dial("tcp", broker)
		if err != nil {
			return
		}
		defer upstream.Close()
		buf := make([]byte, 64<<10)
		_, _ = io.ReadFull(c, buf[:8])
		_, _ = upstream.Write(buf[:8])
		n, _ := upstream.Read(buf)
		_, _ = c.Write(buf[:n])
		_, _ = c.Read(buf)
		reset(c)
	}
}

func TestEveryOddServerIsExplainedInTheSameWordsAtEveryTry(t *testing.T) {
	for name, c := range map[string]struct {
		behave func(*net.TCPConn)
		words  string
	}{
		"closes at once":  {func(*net.TCPConn) {}, "hung up"},
		"resets":          {func(c *net.TCPConn) { _, _ = c.Read(make([]byte, 1)); reset(c) }, "hung up"},
		"HTTP":            {answers("HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak AMQP 0-9-1"},
		"AMQP 1.0":        {answers("AMQP\x00\x01\x00\x00"), "does not speak AMQP 0-9-1"},
		"TLS":             {answers("\x15\x03\x01\x00\x02\x02\x46"), "does not speak AMQP 0-9-1"},
		"resets at login": {resetsAtLogin(newEmbedded(t).addr), "hung up"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := run(t, amqpx.Config{URLs: []string{"amqp://guest:sesame@" + oddServer(t, c.behave) + "/"}})
			first := testkit.Receive(t, w.states).Err.Error()
			if !strings.Contains(first, c.words) || strings.Contains(first, "Exception") || strings.Contains(first, "->") {
				t.Errorf("it is explained as %q", first)
			}
			for range 2 {
				if again := testkit.Receive(t, w.states).Err.Error(); again != first {
					t.Errorf("first %q, then %q", first, again)
				}
			}
		})
	}
}

// logged gets a line for each log record.
type logged chan string

func (l logged) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func TestTwoUnreachableBrokersAreLoggedOnceEach(t *testing.T) {
	lines := make(logged, 100)
	w := run(t, amqpx.Config{
		URLs:   []string{"amqp://127.0.0.1:1/", "amqp://" + oddServer(t, reset) + "/"},
		Logger: slog.New(slog.NewTextHandler(lines, nil)),
	})
	for range 6 {
		testkit.Await(t, w.states)
	}
	w.stop()
	testkit.Await(t, w.ended)
	close(lines)
	var all []string
	for line := range lines {
		all = append(all, line)
	}
	if len(all) != 2 || strings.Count(strings.Join(all, ""), "exchange=test") != 2 {
		t.Errorf("6 tries are logged as %q", all)
	}
}

func TestAStopDoesNotWaitForASilentBroker(t *testing.T) {
	called := make(chan struct{}, 10)
	w := run(t, amqpx.Config{URLs: []string{"amqp://" + oddServer(t, func(c *net.TCPConn) {
		called <- struct{}{}
		silent(c)
	}) + "/"}, FailFast: true})
	testkit.Await(t, called)
	began := time.Now()
	w.stop()
	testkit.Await(t, w.ended)
	if took := time.Since(began); took > 5*time.Second { // the broker may take 10 s to answer
		t.Errorf("it took %v", took)
	}
	if s := testkit.Receive(t, w.states); !errors.Is(s.Err, amqpx.ErrClosed) {
		t.Errorf("the state is %+v", s)
	}
}

func TestFailFastIsAboutTheStartOnly(t *testing.T) {
	e := newEmbedded(t)
	w := run(t, amqpx.Config{URLs: []string{e.url(), "amqp://127.0.0.1:1/"}, FailFast: true})
	w.await(t, true)
	e.drop(t)
	w.await(t, false)
	w.await(t, true)
}

func TestTheNextBrokerIsVerifiedByItsOwnName(t *testing.T) {
	certs := testkit.NewCertificates(t)
	pair, err := tls.LoadX509KeyPair(certs.ServerCert, certs.ServerKey)
	if err != nil {
		t.Fatal(err)
	}
	names := make(chan string, 10)
	server := &tls.Config{
		Certificates:       []tls.Certificate{pair},
		GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) { names <- h.ServerName; return nil, nil },
	}
	address := oddServer(t, func(c *net.TCPConn) { _ = tls.Server(c, server).Handshake() })
	_, port, _ := net.SplitHostPort(address)
	client := certs.ClientConfig(t)
	client.ServerName = "" // as without a test's certificates
	run(t, amqpx.Config{URLs: []string{"amqps://localhost:" + port + "/", "amqps://other.example:" + port + "/"}, TLS: client,
		Dial: func(network, _ string) (net.Conn, error) { return net.Dial(network, address) }})
	for _, want := range []string{"localhost", "other.example"} {
		if got := testkit.Receive(t, names); got != want {
			t.Errorf("the broker was asked for as %q, want %q", got, want)
		}
	}
}

func TestTheReasonForABrokenLinkIsTheBrokersOwn(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	w := run(t, amqpx.Config{URLs: []string{n.URL()}})
	for _, c := range []struct {
		disturb func()
		words   []string // any of them
	}{
		// The exchange, which has no other binding, is deleted with the queue. A busy link may notice that first.
		{func() { n.DeleteQueue(t, "/", "link_replies") }, []string{"cancelled the consumer of queue link_replies", "was deleted, and its bindings with it"}},
		{func() { n.CloseConnections(t) }, []string{"CONNECTION_FORCED"}},
	} {
		w.await(t, true)
		c.disturb()
		s := testkit.Receive(t, w.states)
		if s.Up || !slices.ContainsFunc(c.words, func(words string) bool { return strings.Contains(s.Err.Error(), words) }) {
			t.Errorf("the state is %+v, want %q", s, c.words)
		}
	}
}

func TestAWrongPasswordIsReportedAtOnce(t *testing.T) {
	onEachBroker(t, func(t *testing.T, n node) {
		w := run(t, amqpx.Config{URLs: []string{strings.Replace(n.url(), ":guest@", ":sesame@", 1)}})
		if s := testkit.Receive(t, w.states); s.Up || !strings.Contains(s.Err.Error(), `refused user "guest"`) {
			t.Errorf("the state is %+v", s)
		} else if e, ok := errors.AsType[*amqpx.Error](s.Err); !ok || e.Kind != amqpx.LoginRefused || !e.Permanent() {
			t.Errorf("it is the error %#v", s.Err)
		}
	})
}

func TestAClientCertificateThatIsMissingIsAskedFor(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t, testkit.WithClientCertificates())
	without := n.TLS.ClientConfig(t)
	without.Certificates = nil
	w := run(t, amqpx.Config{URLs: []string{n.TLSURL()}, TLS: without})
	if s := testkit.Receive(t, w.states); s.Up || !strings.Contains(s.Err.Error(), "asks for a client certificate") {
		t.Errorf("the state is %+v", s)
	}
}
