package bridge

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// bridgeHarness is a bridge without a broker, with a clock that the test moves.
type bridgeHarness struct {
	*Bridge
	t    testing.TB
	addr string

	clock testkit.Clock
}

func newHarness(t testing.TB, sources ...rooms.Source) *bridgeHarness {
	t.Helper()
	return newHarnessWith(t, func(cfg *Config, _ *testkit.Clock) { cfg.Sources = sources })
}

// newHarnessWith is newHarness with a configuration that the test changes.
func newHarnessWith(t testing.TB, change func(cfg *Config, clock *testkit.Clock)) *bridgeHarness {
	t.Helper()
	s := &bridgeHarness{t: t}
	everything, err := filter.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{now: s.clock.Now, after: s.clock.After, Broker: []string{"amqp://127.0.0.1:1/"}, Logger: slog.New(slog.DiscardHandler), History: hub.History{Replies: 1000}, KeywordHistory: 1 << 20, Export: everything}
	Unhurried(&cfg)
	change(&cfg, &s.clock)
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Bridge = b
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	if err := b.Listen(ln); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return s
}

// pass advances the clock, and runs everything that is due.
func (s *bridgeHarness) pass(d time.Duration) { s.clock.Pass(d) }

// says delivers a reply.
func (s *bridgeHarness) says(r filter.Reply, order int64) { s.saysAll(r, `{}`, order) }

func (s *bridgeHarness) saysAll(r filter.Reply, body string, order int64) {
	envelope := append(make([]byte, engine.MaxHeaderSize), `{"body": `+body+`}`...)
	rep := &hub.Reply{Reply: r, Plain: envelope, BodyAt: engine.MaxHeaderSize + len(`{"body": `), Ordered: order > 0, Order: order, OrderKey: r.Sender}
	s.hub.Reply(rep, 0, false)
}

// listener is a client, and what it has received.
type listener struct {
	conn    net.Conn
	answers chan map[string]any
	news    chan struct{} // something was heard

	mu    sync.Mutex // guards the following field
	heard []uint64
}

func (s *bridgeHarness) connect() *listener {
	s.t.Helper()
	l := s.dial()
	s.await(l, "hello")
	return l
}

func (s *bridgeHarness) dial() *listener {
	s.t.Helper()
	return s.dialAt("/")
}

func (s *bridgeHarness) dialAt(target string) *listener {
	s.t.Helper()
	conn := testkit.DialWebSocketWith(s.t, ws.Dialer{Protocols: []string{Subprotocol}}, "ws://"+s.addr+target)
	l := &listener{conn: conn, answers: make(chan map[string]any, 100), news: make(chan struct{}, 1)}
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			text, err := wsutil.ReadServerText(conn)
			if err != nil {
				close(l.answers)
				return
			}
			var m map[string]any
			if err := json.Unmarshal(text, &m); err != nil {
				s.t.Error(err)
			}
			if m["op"] != nil {
				l.answers <- m
				continue
			}
			l.mu.Lock()
			l.heard = append(l.heard, uint64(m["seq"].(float64)))
			l.mu.Unlock()
			select {
			case l.news <- struct{}{}:
			default:
			}
		}
	})
	s.t.Cleanup(func() { conn.Close(); reading.Wait() })
	return l
}

// dialPlain connects without a subprotocol, and reads nothing.
func (s *bridgeHarness) dialPlain(target string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), testkit.Patience)
	defer cancel()
	conn, _, _, err := ws.Dial(ctx, "ws://"+s.addr+target)
	return conn, err
}

func (s *bridgeHarness) await(l *listener, op string) map[string]any {
	s.t.Helper()
	select {
	case m, ok := <-l.answers:
		if !ok || m["op"] != op {
			s.t.Fatalf("got %v, want %s", m, op)
		}
		return m
	case <-time.After(time.Minute):
		s.t.Fatalf("no %s", op)
		return nil
	}
}

func (s *bridgeHarness) ask(l *listener, op, request string) {
	s.t.Helper()
	if err := wsutil.WriteClientText(l.conn, []byte(request)); err != nil {
		s.t.Fatal(err)
	}
	s.await(l, op)
}

// from delivers a reply from a sender, ordered unless the order is 0.
func (s *bridgeHarness) from(sender string, order int64) {
	s.says(filter.Reply{Sender: sender, Code: "i"}, order)
}

// hears compares what the client has received since it connected.
func (s *bridgeHarness) hears(l *listener, want ...uint64) {
	s.t.Helper()
	s.ask(l, "pong", `{"op": "ping"}`)
	l.mu.Lock()
	defer l.mu.Unlock()
	if fmt.Sprint(l.heard) != fmt.Sprint(want) {
		s.t.Errorf("it heard %v, want %v", l.heard, want)
	}
}

// since returns a subscription that resumes from a reply.
func (s *bridgeHarness) since(l *listener, seq int, more string) {
	s.t.Helper()
	s.tell(l, fmt.Sprintf(`{"op": "subscribe", "since": {"epoch": %q, "seq": %d}, %s}`, s.hub.Epoch, seq, more))
}

func (s *bridgeHarness) tell(l *listener, text string) {
	s.t.Helper()
	if err := wsutil.WriteClientText(l.conn, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}
