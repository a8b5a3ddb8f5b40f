package engine

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

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
	closing  func(Conn)          // nil finishes at once
	message  func(Conn, Message) // in addition to its report
	listen   *net.ListenConfig   // nil means Go's default
	tls      *tls.Config         // nil means no TLS
	mute     atomic.Bool         // nothing is reported, because no test reads it
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
	if s.closing != nil {
		s.closing(c)
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

// way is a way to serve. [inEveryWay] runs its tests in all of them.
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

// inEveryWay runs a test in every way.
func inEveryWay(t *testing.T, test func(t *testing.T, start starter)) { inWays(t, ways, test) }

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

// inEveryWayAlone is onBoth for a test that measures the process.
func inEveryWayAlone(t *testing.T, test func(t *testing.T, start starter)) {
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

// coarse returns the loop's coarse clock. A loop that does not get to run is behind the engine's.
func (l *loop) coarse() (now tick) {
	l.do(func() { now = l.wheel.now })
	return now
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
