package socketshark_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/dialect/socketshark"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// player plays the clients and the backend of a case against the dialect.
type player struct {
	*goldenCase
	number  int
	clock   testkit.Clock
	dialect dialect.Dialect
	passed  bool // time passed before this step
	asked   chan *asked
	held    []*asked // whose answers wait
	clients map[int]*client
	server  *server
	url     string // of the clients' requests
	publish func(channel, body string)
	ending  int           // connections that have ended, or are about to
	ended   atomic.Int32  // those of which the dialect knows
	over    chan struct{} // closed at the end, when the backend answers all at once
	left    chan string   // what it is asked then
}

// asked is a callback that waits for its answer.
type asked struct {
	path, body string
	answer     chan answer
}

// replay plays cases against a bridge that has a path for each.
func replay(t *testing.T, cases []*goldenCase) {
	players := map[string]*player{}
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		players[number].serve(w, r, "/"+path)
	}))
	t.Cleanup(backend.Close)
	var together []*player
	for i, c := range cases {
		p := &player{goldenCase: c, number: i, asked: make(chan *asked, 100), clients: map[int]*client{}, over: make(chan struct{})}
		p.publish = func(channel, body string) {
			path := fmt.Sprintf("/rooms/%d/%s", p.number, rooms.EscapeName(channel))
			p.dialect.Deliver(&rooms.Message{Path: path, Format: rooms.FormatSocketShark, Whole: []byte(body)})
		}
		players[fmt.Sprint(i)] = p
		if !p.needsOwnServer() {
			together = append(together, p)
		}
	}
	shared := startServer(t, backend.URL, nil, together...)
	t.Run("cases", func(t *testing.T) {
		for i := range cases {
			p := players[fmt.Sprint(i)]
			t.Run(p.Case, func(t *testing.T) {
				t.Parallel()
				p.server = shared
				if p.needsOwnServer() {
					p.server = startServer(t, backend.URL, p.Config.Ping, p)
				}
				p.url = fmt.Sprintf("ws://%s/%d", p.server.addr, i)
				p.play(t)
			})
		}
	})
}

func (p *player) needsOwnServer() bool {
	return p.Config.Ping != nil || slices.ContainsFunc(p.Steps, func(s step) bool { return s.Signal != "" })
}

// server is a bridge.
type server struct {
	addr   string
	bridge *bridge.Bridge
	stop   context.CancelFunc
	ended  chan struct{}
}

func startServer(t *testing.T, backend string, ping *map[string]any, players ...*player) *server {
	t.Helper()
	var mounts []dialect.Mount
	for _, p := range players {
		mounts = append(mounts, p.mount(t, backend))
	}
	return startServerWith(t, ping, nil, mounts...)
}

func startServerWith(t *testing.T, ping *map[string]any, sources []rooms.Source, mounts ...dialect.Mount) *server {
	t.Helper()
	cfg := bridge.Config{Broker: []string{embeddedBroker(t)}, Logger: slog.New(slog.DiscardHandler), Dialects: mounts, Sources: sources}
	cfg.Limits.PongTimeout, cfg.Limits.LateAfter = testkit.PongTimeout, time.Hour
	if ping != nil {
		cfg.Limits.PingAfter = 500 * time.Millisecond
	}
	b, err := bridge.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Listen(ln); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = b.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		if <-ended; err != nil {
			t.Error(err)
		}
	})
	return &server{ln.Addr().String(), b, stop, ended}
}

func embeddedBroker(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := broker.New(broker.Config{})
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = b.Serve(ln)
	}()
	t.Cleanup(func() {
		b.Close()
		<-served
	})
	return "amqp://guest:guest@" + ln.Addr().String() + "/"
}

// mount returns the dialect of the case's configuration, with the case's clock.
func (p *player) mount(t *testing.T, backend string) dialect.Mount {
	t.Helper()
	base := fmt.Sprintf("%s/%d/", backend, p.number)
	cfg := &socketshark.Config{HTTP: socketshark.HTTP{Timeout: time.Hour, Tries: 2, Wait: 300 * time.Millisecond}}
	if strings.Contains(p.Case, "times out") {
		cfg.HTTP.Timeout = time.Second
	}
	if p.Config.Authentication == nil {
		cfg.Authentication.Ticket = &socketshark.Ticket{ValidationURL: base + "auth/ticket/", AuthFields: []string{"session_id", "user_id"}}
	}
	if p.Case == "subscribe backend down" {
		base = "http://127.0.0.1:1/"
	}
	services := map[string]map[string]any{}
	for name, s := range p.Config.Services {
		services[name] = map[string]any{}
		for key, v := range s {
			if seconds, ok := v.(float64); ok {
				v = int64(seconds * 1e9)
			}
			services[name][strings.ReplaceAll(key, "_", "-")] = v
		}
	}
	text, err := json.Marshal(services)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.ReplaceAll(string(text), "http://127.0.0.1:29002/", base))
	if err := json.Unmarshal(text, &cfg.Services); err != nil {
		t.Fatal(err)
	}
	place := dialect.Place{Path: fmt.Sprintf("/%d", p.number), Rooms: fmt.Sprintf("/rooms/%d", p.number)}
	return dialect.Mount{Place: place, New: func(h dialect.Host) (dialect.Dialect, error) {
		h.Now, h.After = p.clock.Now, p.clock.After
		var err error
		p.dialect, err = socketshark.New(cfg, place, h)
		return noticing{p.dialect, &p.ended}, err
	}}
}

// serve takes a callback, and answers it as the case says.
func (p *player) serve(w http.ResponseWriter, r *http.Request, path string) {
	body, _ := io.ReadAll(r.Body)
	a := &asked{path: r.Method + " " + path, body: string(body), answer: make(chan answer, 1)}
	select {
	case <-p.over:
		a.answer <- answer{Status: 200, Body: `{"status": "ok"}`}
		select {
		case p.left <- a.path:
		default: // nobody asks
		}
	default:
		p.asked <- a
	}
	var is answer
	select {
	case is = <-a.answer:
	case <-p.over:
		is = answer{Status: 200, Body: `{"status": "ok"}`}
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", "application/json")
	for name, value := range is.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(is.Status)
	_, _ = io.WriteString(w, is.Body)
}

// play plays all steps, and checks that nothing else has happened.
func (p *player) play(t *testing.T) {
	defer func() {
		close(p.over)
		for _, c := range p.clients {
			c.conn.Close()
			<-c.ended
		}
	}()
	at := 0.0
	for i, s := range p.Steps {
		if d := time.Duration(s.At*float64(time.Second)) - p.clock.Now().Sub(time.Unix(0, 0)); d > 0 {
			p.clock.Pass(d)
		}
		p.passed = s.At > at+transit
		at = max(at, s.At)
		if err := p.step(t, i, s); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	select {
	case a := <-p.asked:
		t.Errorf("the backend is also asked %s %s", a.path, a.body)
	default:
	}
	for n, c := range p.clients {
		if c.done {
			continue
		}
		c.send(ws.OpText, []byte(`{"event": "ping", "data": "the end"}`))
		if got, err := c.next(nil); err != nil || !sameJSON(`{"event": "pong", "data": "the end"}`, got.text) {
			t.Errorf("client %d also gets %v %v", n, got, err)
		}
	}
}

func (p *player) step(t *testing.T, i int, s step) error {
	c := p.clients[s.Client]
	switch {
	case s.Connects != nil:
		return p.connect(t, i, s)
	case s.Sends != nil:
		return c.sendStep(s.Sends)
	case s.Gets != nil:
		got, err := c.next(p.nudge())
		if err == nil && !sameJSON(*s.Gets, got.text) {
			err = fmt.Errorf("got %v, not %s", got, *s.Gets)
		}
		return err
	case s.Closed != nil:
		p.ends(c)
		got, err := c.next(nil)
		if err == nil && got.code != *s.Closed {
			err = fmt.Errorf("got %v, not close code %d", got, *s.Closed)
		}
		return err
	case s.Pinged != "":
		testkit.Await(t, c.pings)
	case s.Closes != 0:
		p.ends(c)
		c.send(ws.OpClose, ws.NewCloseFrameBody(ws.StatusCode(s.Closes), ""))
		p.awaitEnds(t)
	case s.Drops:
		p.ends(c)
		c.conn.Close()
		p.awaitEnds(t)
	case s.Callback != "":
		return p.callback(t, i, s)
	case s.Delayed != "":
		return p.answerNow(s.Delayed)
	case s.Publishes != nil:
		p.publish(s.Publishes.Channel, s.Publishes.Body)
	case s.Redis == "started":
		p.dialect.Gap(&rooms.Source{Path: "/rooms"}, p.clock.Now(), p.clock.Now())
		p.clock.Pass(time.Minute)
	case s.Signal != "":
		p.server.stop()
	}
	return nil // refused is part of connects
}

func (p *player) connect(t *testing.T, i int, s step) error {
	c, err := dial(t.Context(), p.url+*s.Connects)
	if i+1 < len(p.Steps) && p.Steps[i+1].Refused != nil {
		if err == nil {
			c.conn.Close()
			return fmt.Errorf("it is not refused")
		}
		return nil
	}
	p.clients[s.Client] = c
	return err
}

// callback checks the next callback, and answers it unless that comes later.
func (p *player) callback(t *testing.T, i int, s step) error {
	a, err := await(p.asked, p.nudge())
	if err != nil {
		return err
	}
	if a.path != s.Callback || !sameJSON(s.Body, a.body) {
		return fmt.Errorf("the backend is asked %s %s, not %s %s", a.path, a.body, s.Callback, s.Body)
	}
	later := s.Answers.After > 0
	for _, next := range p.Steps[i+1:] {
		if next.Callback == s.Callback {
			break
		}
		later = later || next.Delayed == s.Callback
	}
	if later {
		p.held = append(p.held, a)
		return nil
	}
	a.answer <- *s.Answers
	return nil
}

func (p *player) answerNow(path string) error {
	for i, a := range p.held {
		if a.path == path {
			p.held = slices.Delete(p.held, i, i+1)
			for _, s := range p.Steps {
				if s.Callback == path && sameJSON(s.Body, a.body) {
					a.answer <- *s.Answers
					return nil
				}
			}
		}
	}
	return fmt.Errorf("no callback waits for its answer")
}
