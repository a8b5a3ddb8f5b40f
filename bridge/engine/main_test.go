package engine

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for an event.
const patience = 30 * time.Second

// server is an engine with one log, whose handler reports its calls.
type server struct {
	*Engine
	log      *Log
	addr     string
	opened   chan Conn
	messages chan string
	closed   chan closeNote
	accept   func(*Request) (Accepted, error)
	open     func(Conn)
	ending   func(Conn)          // nil finishes at once
	message  func(Conn, Message) // in addition to its report
	listen   *net.ListenConfig   // nil means Go's default
	tls      *tls.Config         // nil means no TLS
	mute     atomic.Bool         // nothing is reported, because nobody reads it
}

type closeNote struct {
	code   int
	reason string
}

func (s *server) Accept(r *Request) (Accepted, error) {
	if s.accept != nil {
		return s.accept(r)
	}
	return Accepted{Log: s.log, Session: s}, nil
}
func (s *server) Open(c Conn, _ any) {
	if s.open != nil {
		s.open(c)
	}
	report(s, s.opened, c)
}
func (s *server) Message(c Conn, _ any, m Message) {
	if s.message != nil {
		s.message(c, m)
	}
	report(s, s.messages, string(m.Payload))
}
func (s *server) Closing(c Conn, _ any) {
	if s.ending != nil {
		s.ending(c)
		return
	}
	c.Finish()
}
func (s *server) Closed(_ Conn, _ any, code int, reason string) {
	report(s, s.closed, closeNote{code, reason})
}

func report[T any](s *server, to chan<- T, v T) {
	if !s.mute.Load() {
		to <- v
	}
}

// starter starts an engine in the way under test.
type starter func(cfg Config, adjust ...func(*server)) *server

// way is a way to serve. [onBoth] runs its tests in all of them.
type way struct {
	name   string
	config func(*Config)
	tls    bool
}

// pollers are the ways that serve a plain socket on a loop.
var pollers = []way{
	{name: "epoll", config: func(*Config) {}},
	{name: "portable", config: func(cfg *Config) { cfg.Portable = true }},
}

// ways are all.
var ways = append(slices.Clone(pollers),
	way{name: "tls", config: func(*Config) {}, tls: true})

// onBoth runs a test in every way.
func onBoth(t *testing.T, test func(t *testing.T, start starter)) { inWays(t, ways, test) }

// onPollers runs a test with every poller.
func onPollers(t *testing.T, test func(t *testing.T, start starter)) { inWays(t, pollers, test) }

// inWays runs the ways in parallel: most tests mostly wait. Tests that measure the whole
// process use onBothAlone.
func inWays(t *testing.T, ways []way, test func(t *testing.T, start starter)) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			test(t, w.starter(t))
		})
	}
}

// onBothAlone is onBoth for a test that measures the process.
func onBothAlone(t *testing.T, test func(t *testing.T, start starter)) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) { test(t, w.starter(t)) })
	}
}

func (w way) starter(t *testing.T) starter {
	return func(cfg Config, adjust ...func(*server)) *server {
		t.Helper()
		w.config(&cfg)
		return start(t, cfg, append(adjust, func(s *server) {
			if w.tls {
				overTLS(s)
			}
		})...)
	}
}

// start serves on a free port until the test ends.
func start(t *testing.T, cfg Config, adjust ...func(*server)) *server {
	t.Helper()
	s := &server{
		opened:   make(chan Conn, 20_000),
		messages: make(chan string, 20_000),
		closed:   make(chan closeNote, 20_000),
	}
	cfg.Handler = s
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	var err error
	if s.Engine, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	s.log = s.NewLog()
	for _, f := range adjust {
		f(s)
	}
	if s.listen == nil {
		s.listen = &net.ListenConfig{}
	}
	ln, err := s.listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	if err := s.ListenWith(ln, ListenOptions{TLS: s.tls}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		err := s.Shutdown(ctx, "the test is over")
		if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
	return s
}

// client is a WebSocket client that reads raw frames.
type client struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (s *server) dial(t *testing.T) *client {
	t.Helper()
	c := s.dialTCP(t)
	c.upgrade("/")
	receive(t, s.opened)
	return c
}

// dialTCP connects, with TLS if the server speaks it.
func (s *server) dialTCP(t *testing.T) *client {
	t.Helper()
	c := s.dialRaw(t)
	c.secure(s)
	return c
}

// secure starts TLS if the server speaks it.
func (c *client) secure(s *server) {
	if s.tls != nil {
		c.Conn = tls.Client(c.Conn, clientTLS)
		c.r.Reset(c.Conn)
	}
}

// get requests a page from the server.
func (s *server) get(t *testing.T, req *http.Request) *http.Response {
	t.Helper()
	req.URL.Scheme, req.URL.Host = "http", s.addr
	if s.tls != nil {
		req.URL.Scheme = "https"
	}
	transport := &http.Transport{TLSClientConfig: clientTLS, DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	resp, err := (&http.Client{Transport: transport, Timeout: patience}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// dialRaw connects and sends nothing.
func (s *server) dialRaw(t *testing.T) *client {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return &client{t, conn, bufio.NewReader(conn)}
}

const upgradeRequest = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

func (c *client) upgrade(path string) {
	c.t.Helper()
	c.send([]byte("GET " + path + upgradeRequest[len("GET /"):]))
	if resp := c.response(); resp.StatusCode != http.StatusSwitchingProtocols {
		c.t.Fatalf("the upgrade was answered with %s", resp.Status)
	} else if got := resp.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		c.t.Fatalf("Sec-WebSocket-Accept is %q", got)
	}
}

func (c *client) response() *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			c.t.Fatal(err)
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	return resp
}

func (c *client) send(b ...[]byte) {
	c.t.Helper()
	if _, err := c.Write(join(b...)); err != nil {
		c.t.Fatal(err)
	}
}

// frame reads the next frame.
func (c *client) frame() ws.Frame {
	c.t.Helper()
	f, err := readFrame(c.r)
	if err != nil {
		c.t.Fatal(err)
	}
	return f
}

func readFrame(r io.Reader) (f ws.Frame, err error) {
	if f.Header, err = ws.ReadHeader(r); err != nil {
		return f, err
	}
	f.Payload = make([]byte, f.Header.Length)
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}

// expect reads a text frame and compares it.
func (c *client) expect(want string) {
	c.t.Helper()
	f := c.frame()
	if f.Header.OpCode != ws.OpText || string(f.Payload) != want {
		c.t.Fatalf("got opcode %d with %.80q, want text %.80q", f.Header.OpCode, f.Payload, want)
	}
}

// expectClose reads up to the close frame, answers it and waits for the end.
func (c *client) expectClose(code ws.StatusCode) (reason string) {
	c.t.Helper()
	for {
		f := c.frame()
		if f.Header.OpCode != ws.OpClose {
			continue
		}
		got, reason := ws.ParseCloseFrameData(f.Payload)
		if got != code {
			c.t.Fatalf("closed with %d %q, want %d", got, reason, code)
		}
		c.send(masked(true, ws.OpClose, string(f.Payload)))
		if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
			c.t.Fatalf("after the close frame: % x, %v", rest, err)
		}
		return reason
	}
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// lockedBuffer may be written to by several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
