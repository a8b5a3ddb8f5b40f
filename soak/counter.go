package soak

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// counter is a plain client on a connection that never fails. It counts what comes.
type counter struct {
	mu     sync.Mutex // guards the following fields
	ledger *ledger
	count  int
	ended  error
}

func startCounter(t testing.TB, addr string) *counter {
	t.Helper()
	c := &counter{ledger: newLedger(1)}
	conn := testkit.DialWebSocketWith(t, ws.Dialer{}, "ws://"+addr+"/")
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			text, err := wsutil.ReadServerText(conn)
			if err != nil {
				c.mu.Lock()
				c.ended = err
				c.mu.Unlock()
				return
			}
			c.take(text)
		}
	})
	t.Cleanup(func() { conn.Close(); reading.Wait() })
	return c
}

func (c *counter) take(text []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	var envelope struct {
		Headers struct{ Sender string }
		Body    struct{ N *int }
	}
	if err := json.Unmarshal(text, &envelope); err != nil {
		c.ended = errors.Join(c.ended, err)
	} else if envelope.Body.N != nil {
		c.ledger.show(*envelope.Body.N)
	}
}

func (c *counter) reached(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ledger.reached(n)
}

func (c *counter) last() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ledger.last
}

// frames returns how many frames came.
func (c *counter) frames() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// err is why it hears no more, nil if it does.
func (c *counter) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// check returns what is wrong. Gaps are not told to plain clients.
func (c *counter) check(end int, lossy bool, outcome func(int) testkit.Outcome) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if lossy {
		c.ledger.gaps = 1
	}
	wrong := c.ledger.check(end, lossy, outcome)
	if c.ended != nil {
		wrong = append(wrong, "its connection has ended: "+c.ended.Error())
	}
	return wrong
}
