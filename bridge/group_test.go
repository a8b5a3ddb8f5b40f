package bridge

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

// stage is a bridge without a broker, whose clock stands until it is moved.
type stage struct {
	*Bridge
	t    testing.TB
	addr string

	mu     sync.Mutex // guards the following fields
	now    time.Duration
	timers []*timer
}

type timer struct {
	at time.Duration
	do func()
}

func newStage(t testing.TB, sources ...Source) *stage {
	t.Helper()
	b, err := New(Config{Broker: []string{"amqp://127.0.0.1:1/"}, Logger: slog.New(slog.DiscardHandler), History: History{Replies: 1000}, Sources: sources})
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{Bridge: b, t: t}
	b.hub.after, b.hub.now = s.after, s.time
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

func (s *stage) time() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Unix(0, 0).Add(s.now)
}

func (s *stage) after(d time.Duration, do func()) func() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	tm := &timer{s.now + d, do}
	s.timers = append(s.timers, tm)
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.timers = without(s.timers, tm)
		return true
	}
}

// pass lets time pass, and everything happen that is due.
func (s *stage) pass(d time.Duration) {
	s.mu.Lock()
	end := s.now + d
	for {
		slices.SortStableFunc(s.timers, func(a, b *timer) int { return cmp.Compare(a.at, b.at) })
		if len(s.timers) == 0 || s.timers[0].at > end {
			break
		}
		tm := s.timers[0]
		s.timers = s.timers[1:]
		s.now = tm.at
		s.mu.Unlock()
		tm.do()
		s.mu.Lock()
	}
	s.now = end
	s.mu.Unlock()
}

// says has a reply come.
func (s *stage) says(r filter.Reply, order int64) { s.saysAll(r, `{}`, order) }

func (s *stage) saysBody(r filter.Reply, body string) { s.saysAll(r, body, 0) }

func (s *stage) saysAll(r filter.Reply, body string, order int64) {
	envelope := append(make([]byte, engine.HeaderRoom), `{"body": `+body+`}`...)
	rep := &reply{Reply: r, at: time.Now(), plain: envelope, bodyAt: engine.HeaderRoom + len(`{"body": `), ordered: order > 0, order: order, orderKey: r.Sender}
	s.hub.reply(rep, 0, false)
}

// member of the audience: a client, what it should hear, and what it hears.
type listener struct {
	conn    net.Conn
	answers chan map[string]any
	wishes  map[string]modelWish
	want    []uint64
	news    chan struct{} // something was heard

	mu    sync.Mutex // guards the following field
	heard []uint64
}

func (s *stage) connect() *listener {
	s.t.Helper()
	l := s.dial()
	s.await(l, "hello")
	return l
}

func (s *stage) dial() *listener {
	s.t.Helper()
	return s.dialAt("/")
}

func (s *stage) dialAt(target string) *listener {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	conn, br, _, err := ws.Dialer{Protocols: []string{Subprotocol}}.Dial(ctx, "ws://"+s.addr+target)
	if err != nil {
		s.t.Fatal(err)
	}
	l := &listener{conn: conn, answers: make(chan map[string]any, 100), wishes: map[string]modelWish{}, news: make(chan struct{}, 1)}
	var in io.Reader = conn
	if br != nil {
		in = br
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			text, err := wsutil.ReadServerText(struct {
				io.Reader
				io.Writer
			}{in, conn})
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
func (s *stage) dialPlain(target string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	conn, _, _, err := ws.Dial(ctx, "ws://"+s.addr+target)
	return conn, err
}

func (s *stage) await(l *listener, op string) map[string]any {
	s.t.Helper()
	select {
	case m, ok := <-l.answers:
		if !ok || m["op"] != op {
			s.t.Fatalf("got %v, want %s", m, op)
		}
		return m
	case <-time.After(10 * time.Second):
		s.t.Fatalf("no %s", op)
		return nil
	}
}

func (s *stage) ask(l *listener, op, request string) {
	s.t.Helper()
	if err := wsutil.WriteClientText(l.conn, []byte(request)); err != nil {
		s.t.Fatal(err)
	}
	s.await(l, op)
}

// seeds is how many random courses are taken: SEEDS=1000 is a long test.
func seeds(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("SEEDS")
	if text == "" {
		return 12
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestGroupsDeliverWhatAModelDeliversToEachClient(t *testing.T) {
	filters := []string{
		`{}`, `{"sender": "a"}`, `{"sender": ["b", "a"]}`, `{"sender": ["a", "b"]}`, `{"sender": "?"}`, `{"message_code": ["i", ":"]}`,
		`{"sender": "c", "message_code": "i"}`, `{"internal": true}`, `{"routing_key": "reply.x.#"}`, `{"commander": ["x.*"]}`, `{"command_id": "1"}`,
	}
	for seed := range seeds(t) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			pick := func(from ...string) string { return from[random.IntN(len(from))] }
			s, m := newStage(t), newModel()
			var all []*listener
			for range 12 {
				l := s.connect()
				s.ask(l, "ok", `{"op": "subscribe", "id": "first"}`)
				l.wishes["first"] = modelWish{filter: mustFilter(t, `{}`)}
				m.move(l)
				all = append(all, l)
			}
			names := 0
			for range 600 {
				l := all[random.IntN(len(all))]
				switch action := random.IntN(10); {
				case action == 0 && len(l.wishes) < 5:
					names++
					f, name := pick(filters...), fmt.Sprint(names)
					// Lengths without small common multiples: no two windows end at the same moment.
					w := modelWish{mustFilter(t, f), []time.Duration{0, 0, 17, 29, 43}[random.IntN(5)] * time.Millisecond, random.IntN(4) == 0, []time.Duration{0, 0, 2, 1000}[random.IntN(4)] * time.Millisecond}
					s.ask(l, "ok", fmt.Sprintf(`{"op": "subscribe", "id": %q, "filter": %s, "throttle_ms": %d, "ordered": %v, "batch_ms": %d}`, name, f, w.throttle.Milliseconds(), w.ordered, w.batch.Milliseconds()))
					l.wishes[name] = w
					m.move(l)
				case action == 1 && len(l.wishes) > 0:
					for name := range l.wishes {
						s.ask(l, "ok", fmt.Sprintf(`{"op": "unsubscribe", "id": %q}`, name))
						delete(l.wishes, name)
						break
					}
					m.move(l)
				case action < 4:
					d := time.Duration(random.IntN(30)) * time.Millisecond
					s.pass(d)
					m.pass(d)
				default:
					r := filter.Reply{Sender: pick("a", "b", "c", ""), Code: pick("i", "i", "i", "w", ":", "f", "e", ">"), RoutingKey: pick("reply.x", "reply.x.y", "reply.broadcast"),
						CommandID: pick("", "1", "2"), Commander: pick("", "x.a", "y.a"), Internal: random.IntN(4) == 0}
					order := int64(random.IntN(4))
					s.says(r, order)
					m.says(r, order)
					// Moments in which something ends differ for all windows.
					s.pass(time.Microsecond)
					m.pass(time.Microsecond)
				}
			}
			for i, l := range all {
				s.ask(l, "pong", `{"op": "ping"}`)
				l.mu.Lock()
				if !slices.Equal(l.heard, l.want) {
					same := 0
					for same < min(len(l.heard), len(l.want)) && l.heard[same] == l.want[same] {
						same++
					}
					t.Errorf("client %d: after %d replies it heard %v, want %v", i, same, l.heard[same:min(same+10, len(l.heard))], l.want[same:min(same+10, len(l.want))])
				}
				l.mu.Unlock()
			}
			delivered := 0
			for _, l := range all {
				delivered += len(l.want)
			}
			if delivered < 500 {
				t.Errorf("only %d deliveries were compared", delivered)
			}
		})
	}
}

func mustFilter(t testing.TB, text string) *filter.Filter {
	t.Helper()
	f, err := filter.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
