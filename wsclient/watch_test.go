package wsclient

import (
	"context"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// pipes is a listener whose connections are in memory, so that a bubble has its time.
type pipes struct {
	made   chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.made:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.made <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// inBubble connects a client to a server that says hello, and goes on with serve. In a bubble the answers take no time at all,
// as they nearly do on one machine.
func inBubble(t *testing.T, serve func(p *peer), test func(t *testing.T, c *Client, states <-chan State)) {
	t.Helper()
	testkit.Bubble(t, func(t *testing.T) {
		at := &pipes{made: make(chan net.Conn), closed: make(chan struct{})}
		server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}})
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.CloseNow()
			p := &peer{t: t, conn: conn, request: r}
			p.send(helloText)
			serve(p)
		})}
		serving := make(chan struct{})
		go func() { defer close(serving); _ = server.Serve(at) }()
		transport := &http.Transport{DialContext: at.dial}
		states := make(chan State, 10_000)
		c, err := Open(Config{URL: "ws://bridge", HTTPClient: &http.Client{Transport: transport}, OnState: func(s State, _ error) { states <- s }})
		if err != nil {
			t.Fatal(err)
		}
		if s := <-states; s != Connected {
			t.Errorf("the first state is %v", s)
		}
		test(t, c, states)
		_ = c.Close()
		_ = server.Close()
		<-serving
		transport.CloseIdleConnections()
	})
}

// answersPings answers pings while answers is true, until the connection ends.
func (p *peer) answersPings(answers func() bool) {
	for {
		_, text, err := p.conn.Read(context.Background())
		if err != nil {
			return
		}
		if answers() {
			p.answerPing(text)
		}
	}
}

func TestAQuietConnectionStays(t *testing.T) {
	inBubble(t, func(p *peer) { p.answersPings(func() bool { return true }) }, func(t *testing.T, _ *Client, states <-chan State) {
		time.Sleep(time.Hour)
		synctest.Wait()
		select {
		case s := <-states:
			t.Errorf("the client is %v", s)
		default:
		}
	})
}

func TestADeadConnectionIsNoticed(t *testing.T) {
	dead := make(chan struct{})
	answers := func() bool {
		select {
		case <-dead:
			return false
		default:
			return true
		}
	}
	inBubble(t, func(p *peer) { p.answersPings(answers) }, func(t *testing.T, _ *Client, states <-chan State) {
		time.Sleep(time.Minute)
		close(dead)
		died := time.Now()
		if s := <-states; s != Connecting {
			t.Errorf("the client is %v", s)
		}
		if took := time.Since(died); took > 30*time.Second {
			t.Errorf("it was noticed after %v", took)
		}
	})
}
