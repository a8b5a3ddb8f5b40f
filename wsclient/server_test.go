package wsclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// server is a WebSocket server that plays a bridge, or CLU's own server: serve is called for each connection.
type server struct {
	*httptest.Server
	protocols []string
}

func newServer(t *testing.T, v1 bool, serve func(n int, p *peer)) *server {
	t.Helper()
	s := &server{}
	if v1 {
		s.protocols = []string{subprotocol}
	}
	connections := make(chan int, 1)
	connections <- 0
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := <-connections
		connections <- n + 1
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: s.protocols, InsecureSkipVerify: true})
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		serve(n, &peer{t: t, conn: conn, request: r})
	}))
	t.Cleanup(s.Close)
	return s
}

// peer is the server's end of a connection.
type peer struct {
	t       *testing.T
	conn    *websocket.Conn
	request *http.Request
}

// idle answers nothing until the connection ends.
func (p *peer) idle() {
	for {
		if _, _, err := p.conn.Read(context.Background()); err != nil {
			return
		}
	}
}

const helloText = `{"op": "hello", "session": "bridge-1", "name": "bridge", "version": "0.1.0", "time": "2026-11-21T03:38:40.123456+00:00",
	"epoch": "e", "seq": 41, "broker": "up", "capabilities": ["ping", "subscribe"]}`

func (p *peer) send(text string, args ...any) {
	_ = p.conn.Write(context.Background(), websocket.MessageText, fmt.Appendf(nil, text, args...)) // the client may be gone
}

// receive returns the next message with this op, or a plain command for "". Pings before it are answered.
func (p *peer) receive(op string) map[string]any {
	for {
		_, text, err := p.conn.Read(context.Background())
		if err != nil {
			return nil
		}
		var m map[string]any
		if err := json.Unmarshal(text, &m); err != nil {
			p.t.Error(err)
			return nil
		}
		got, _ := m["op"].(string)
		if op != "ping" && p.answerPing(text) {
			continue
		}
		if got != op {
			p.t.Errorf("got %s, want the op %q", text, op)
		}
		return m
	}
}

// answerPing answers a message if it is a ping, and reports whether it is one.
func (p *peer) answerPing(text []byte) bool {
	var m struct{ Op, ID string }
	if json.Unmarshal(text, &m) != nil || m.Op != "ping" {
		return false
	}
	p.send(`{"op": "pong", "id": %q, "time": "2026-11-21T03:38:40.123456+00:00", "epoch": "e", "seq": 41}`, m.ID)
	return true
}

func (s *server) dial(t *testing.T, change func(*Config)) *Client {
	t.Helper()
	cfg := Config{URL: "ws" + strings.TrimPrefix(s.URL, "http"), MinDelay: time.Millisecond, MaxDelay: 20 * time.Millisecond}
	if change != nil {
		change(&cfg)
	}
	c, err := Dial(within(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestARevokedLoginEndsTheClient(t *testing.T) {
	s := newServer(t, true, func(n int, p *peer) {
		if n > 0 {
			t.Error("it connects again")
		}
		p.send(helloText)
		p.receive("subscribe")
		_ = p.conn.Close(closeRevoked, "the credential was revoked")
	})
	states := make(chan State, 10)
	c := s.dial(t, func(cfg *Config) { cfg.OnState = func(s State, _ error) { states <- s } })
	_, err := c.Subscribe(within(t), SubscribeOptions{})
	if refused, ok := errors.AsType[*RefusedError](err); !ok || refused.Status != closeRevoked {
		t.Errorf("the subscription ends with %v", err)
	}
	<-c.Done()
	for _, want := range []State{Connected, Connecting, Closed} {
		if got := <-states; got != want {
			t.Errorf("the state is %s, want %s", got, want)
		}
	}
}

func TestCLUsOwnServer(t *testing.T) {
	s := newServer(t, false, func(n int, p *peer) {
		if n > 0 {
			p.idle()
			return
		}
		command := p.receive("")
		if command["consumer"] != "dome" || command["command_string"] != "open" {
			t.Errorf("got the command %v", command)
		}
		for _, code := range []string{">", ":"} {
			p.send(`{"headers": {"command_id": %q, "commander_id": "ws.dome", "internal": false, "message_code": %q, "sender": "dome"},
				"exchange": "sdss_exchange", "message_id": "1", "routing_key": "reply.ws.dome", "timestamp": null, "body": {"dome_open": true}}`, command["command_id"], code)
		}
		p.receive("") // until the test cuts
	})
	c := s.dial(t, nil)
	if hello, _ := c.Hello(); hello.Protocol != "plain" {
		t.Errorf("the protocol is %q", hello.Protocol)
	}
	sub := subscribe(t, c, SubscribeOptions{Filter: Filter{MessageCode: []string{":"}}, Snapshot: true})
	if _, err := c.Send(within(t), "dome", "open", SendOptions{}).Wait(within(t)); err != nil {
		t.Error(err)
	}
	if e, err := sub.Next(within(t)); err != nil || e.(*Reply).Code != ":" {
		t.Errorf("got %v, %v", e, err)
	}
	if _, err := c.Value(within(t), "dome", "dome_open"); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a value: %v", err)
	}
	c.cut()
	if e, err := sub.Next(within(t)); err != nil {
		t.Error(err)
	} else if _, ok := e.(Gap); !ok {
		t.Errorf("got %#v, want a gap", e)
	}
}

func TestASilentServerIsLeft(t *testing.T) {
	s := newServer(t, true, func(n int, p *peer) {
		p.send(helloText)
		if n == 0 {
			p.idle()
			return
		}
		p.receive("unsubscribe") // answers pings until the client goes
	})
	lost := make(chan error, 10)
	s.dial(t, func(cfg *Config) {
		cfg.PingAfter = 20 * time.Millisecond
		cfg.OnState = func(state State, why error) {
			if state == Connecting {
				lost <- why
			}
		}
	})
	select {
	case why := <-lost:
		if !strings.Contains(why.Error(), "silent") {
			t.Errorf("it was lost because: %v", why)
		}
	case <-within(t).Done():
		t.Error("it stays with a silent server")
	}
}

func TestNothingWaitsForAConnection(t *testing.T) {
	s := newServer(t, true, func(n int, p *peer) {
		if n > 0 {
			p.idle()
			return
		}
		p.send(helloText)
		p.idle()
	})
	c := s.dial(t, func(cfg *Config) { cfg.ConnectTimeout = time.Hour })
	c.mu.Lock()
	changed := c.changed
	c.mu.Unlock()
	c.cut()
	<-changed
	if _, err := c.Send(within(t), "dome", "open", SendOptions{}).Wait(within(t)); !errors.Is(err, ErrRejected) {
		t.Errorf("a command: %v", err)
	}
	if _, err := c.Values(within(t), Filter{}); !errors.Is(err, ErrNotConnected) {
		t.Errorf("a question: %v", err)
	}
}

func TestOneAttemptIsEnoughWithFailFast(t *testing.T) {
	s := newServer(t, true, func(int, *peer) {})
	s.Close()
	_, err := Dial(within(t), Config{URL: "ws" + strings.TrimPrefix(s.URL, "http") + "/?ticket=secret", FailFast: true})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestABridgeThatGreetsAndClosesIsAskedEverMoreSeldom(t *testing.T) {
	c := &Client{cfg: Config{MinDelay: time.Second, MaxDelay: 10 * time.Second}}
	for _, x := range []struct {
		delay   time.Duration
		greeted bool
		lasted  time.Duration
		want    time.Duration
	}{
		{4 * time.Second, true, time.Millisecond, 4 * time.Second},
		{4 * time.Second, true, time.Minute, time.Second},
		{4 * time.Second, false, time.Minute, 4 * time.Second},
		{16 * time.Second, true, time.Millisecond, 10 * time.Second},
	} {
		if got := c.delayAfter(x.delay, x.greeted, x.lasted); got != x.want {
			t.Errorf("%+v: it waits %v", x, got)
		}
	}
}

func TestTheBeginningOfALongMessageIsASignOfLife(t *testing.T) {
	begun, heard := make(chan bool), make(chan bool)
	s := newServer(t, true, func(_ int, p *peer) {
		p.send(helloText)
		w, err := p.conn.Writer(context.Background(), websocket.MessageText)
		if err != nil {
			t.Error(err)
			return
		}
		<-begun
		_, _ = w.Write([]byte(`{"op": "later"` + strings.Repeat(" ", 1<<16)))
		<-heard
		_, _ = w.Write([]byte("}"))
		_ = w.Close()
		p.idle()
	})
	c := s.dial(t, func(cfg *Config) { cfg.PingAfter = time.Hour })
	c.mu.Lock()
	session := c.session
	c.mu.Unlock()
	session.heard.Store(0)
	close(begun)
	testkit.Eventually(t, testkit.Patience, "a sign of life", func() error {
		if session.heard.Load() == 0 {
			return errors.New("there is none yet")
		}
		return nil
	})
	close(heard)
}
