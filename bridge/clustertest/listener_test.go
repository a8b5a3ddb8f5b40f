//go:build cluster

package clustertest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// listener is a v1 client that records what it receives. When its connection ends, it resumes at
// the next of its addresses.
type listener struct {
	name  string
	addrs []string
	every time.Duration // how long it stays at one address; 0 is for good
	ended sync.WaitGroup

	// mu guards the following fields.
	mu       sync.Mutex
	events   []event
	last     []int // of each publisher, the highest number heard
	epoch    string
	seq      uint64
	known    bool // epoch and seq are
	thrown   []error
	resumed  int // how often it was told that nothing is missing
	restarts int // how often it was told that the numbers have begun anew
}

// event is a reply, a reported gap, or a connection that could not resume.
type event struct {
	kind         kind
	publisher, n int
	seq          uint64
	from, to     time.Time // of a gap; from is zero when nobody knows
}

type kind uint8

const (
	aReply kind = iota
	aGap
	anEpoch // replies behind it have other numbers than those before it
)

// serverMessage holds the fields that a listener and a commander read from a message.
type serverMessage struct {
	Op, Epoch, ID, Code, Status, Message string
	CommandID                            string `json:"command_id"`
	Seq                                  *uint64
	Resumed                              *bool
	From, To                             *time.Time
	Body                                 struct{ P, N *int }
}

func startListener(t *testing.T, name string, publishers int, every time.Duration, addrs ...string) *listener {
	l := &listener{name: name, addrs: addrs, every: every, last: slices.Repeat([]int{-1}, publishers)}
	ctx, cancel := context.WithCancel(context.Background())
	l.ended.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			if err := l.connect(ctx, addrs[i%len(addrs)]); err != nil {
				l.mu.Lock()
				l.thrown = append(l.thrown, err)
				l.mu.Unlock()
				pause(ctx, 20*time.Millisecond)
			}
		}
	})
	t.Cleanup(func() { cancel(); l.ended.Wait() })
	return l
}

// connect listens at an address until it is time to leave. It returns an error if the connection
// ends earlier.
func (l *listener) connect(ctx context.Context, addr string) error {
	if l.every > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.every)
		defer cancel()
	}
	conn, err := dialV1(ctx, addr, l.since())
	for err == nil {
		var m serverMessage
		if m, err = conn.read(); err == nil {
			l.take(m)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// since returns the query for resuming.
func (l *listener) since() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.known {
		return "silent=0"
	}
	return fmt.Sprintf("since=%s:%d", l.epoch, l.seq)
}

func (l *listener) take(m serverMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case m.Op == "hello" && !l.known && m.Seq != nil:
		l.epoch, l.seq, l.known = m.Epoch, *m.Seq, true
	case m.Op == "gap":
		e := event{kind: aGap, to: time.Now()}
		if m.From != nil {
			e.from = *m.From
		}
		if m.To != nil {
			e.to = *m.To
		}
		l.events = append(l.events, e)
	case m.Op == "ok" && m.Resumed != nil && *m.Resumed:
		l.resumed++
	case m.Op == "ok" && m.Resumed != nil:
		l.restarts++
		l.epoch, l.known = m.Epoch, m.Seq != nil
		if l.known {
			l.seq = *m.Seq
		}
		l.events = append(l.events, event{kind: anEpoch})
	case m.Op == "" && m.Seq != nil:
		l.epoch, l.seq, l.known = m.Epoch, *m.Seq, true
		if b := m.Body; b.P != nil && b.N != nil {
			l.events = append(l.events, event{kind: aReply, publisher: *b.P, n: *b.N, seq: *m.Seq})
			l.last[*b.P] = max(l.last[*b.P], *b.N)
		}
	}
}

// heardPast returns an error unless the listener has received a reply with at least that
// number from every publisher.
func (l *listener) heardPast(numbers []int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p, n := range numbers {
		if l.last[p] < n {
			return fmt.Errorf("the client that %s has heard publisher %d's %d, and not %d", l.name, p, l.last[p], n)
		}
	}
	return nil
}

// v1Conn is a client's connection.
type v1Conn struct{ *testkit.WebSocket }

// dialV1 connects. The end of the context closes the connection.
func dialV1(ctx context.Context, addr, query string) (*v1Conn, error) {
	dialer := ws.Dialer{Protocols: []string{bridge.Subprotocol}, Timeout: testkit.Patience}
	conn, err := testkit.OpenWebSocket(ctx, dialer, "ws://"+addr+"/?"+query)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	return &v1Conn{conn}, nil
}

func (c *v1Conn) read() (m serverMessage, err error) {
	text, err := wsutil.ReadServerText(c)
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		c.Close()
	}
	return m, err
}
