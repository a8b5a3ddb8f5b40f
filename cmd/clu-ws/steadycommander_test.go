package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// steadyCommander is a v1 client that sends one command after another to the actor echo, and one to the actor slow
// before. It reconnects and resumes, and sends nothing twice.
type steadyCommander struct {
	name    string
	running sync.WaitGroup
	cancel  context.CancelFunc

	// mu guards the following fields.
	mu      sync.Mutex
	stopped bool
	sent    []string // ids
	ends    map[string][]string
	since   string
	heard   int // replies since the last command
}

// pace is how many replies of the source lie between two commands at least.
const pace = 5

func startCommander(t *testing.T, name string, d ws.Dialer, url string) *steadyCommander {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &steadyCommander{name: name, cancel: cancel, ends: map[string][]string{}}
	c.running.Go(func() {
		for ctx.Err() == nil {
			// On an error it connects again: the bridge has closed the connection, or refuses it.
			_ = c.connect(ctx, d, url)
		}
	})
	t.Cleanup(func() { cancel(); c.running.Wait() })
	return c
}

// connect sends commands until the connection ends.
func (c *steadyCommander) connect(ctx context.Context, d ws.Dialer, url string) error {
	if c.since != "" {
		url += "?since=" + c.since
	}
	conn, br, err := dialBridge(ctx, d, url)
	if err != nil {
		testkit.PauseBeforeRetry(ctx)
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	from := buffered{conn, br}
	for {
		for consumer, id := c.next(); id != ""; consumer, id = c.next() {
			if err := wsutil.WriteClientText(conn, fmt.Appendf(nil, `{"consumer": %q, "command_string": "x", "command_id": %q}`, consumer, id)); err != nil {
				return err
			}
		}
		text, err := wsutil.ReadServerText(from)
		if err != nil {
			c.giveUpLast()
			return err
		}
		c.take(text)
	}
}

// waiting marks a command whose end the client waits for no longer: it sends the next one.
const waiting = "its connection ended"

// next returns the next command, once the one before has its end.
func (c *steadyCommander) next() (consumer, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch n := len(c.sent); {
	case n == 0:
		consumer, id = "slow", c.name+"-slow"
	case c.stopped || c.heard < pace || n > 1 && len(c.ends[c.sent[n-1]]) == 0:
		return "", ""
	default:
		consumer, id = "echo", fmt.Sprintf("%s-%d", c.name, n)
	}
	c.sent, c.heard = append(c.sent, id), 0
	return consumer, id
}

// giveUpLast makes next go on after the connection has ended.
func (c *steadyCommander) giveUpLast() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.sent); n > 1 && len(c.ends[c.sent[n-1]]) == 0 {
		c.ends[c.sent[n-1]] = append(c.ends[c.sent[n-1]], waiting)
	}
}

// take notes the end of a command: the code of an error, or that of a reply.
func (c *steadyCommander) take(text []byte) {
	var m struct {
		Op, Code, Epoch string
		CommandID       string `json:"command_id"`
		Seq             uint64
		Headers         struct {
			CommandID string `json:"command_id"`
			Code      string `json:"message_code"`
		}
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.Epoch != "" && m.Seq > 0 && m.Op == "" {
		c.since = fmt.Sprintf("%s:%d", m.Epoch, m.Seq)
		c.heard++
	}
	switch {
	case m.Op == "error" && m.CommandID != "":
		c.ends[m.CommandID] = append(c.ends[m.CommandID], m.Code)
	case m.Headers.Code == ":" && strings.HasPrefix(m.Headers.CommandID, c.name+"-"):
		c.ends[m.Headers.CommandID] = append(c.ends[m.Headers.CommandID], ":")
	}
}

// awaitEnds waits until this many more commands have been answered.
func (c *steadyCommander) awaitEnds(t *testing.T, more int) {
	t.Helper()
	answered := func() (n int) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, ends := range c.ends {
			if ends[len(ends)-1] == ":" {
				n++
			}
		}
		return n
	}
	before := answered()
	testkit.Eventually(t, testkit.Patience, c.name+" has answers", func() error {
		if n := answered(); n < before+more {
			return fmt.Errorf("it has %d, and had %d", n, before)
		}
		return nil
	})
}

// stop makes it send no more commands, and waits until those that are known to have run have their ends.
func (c *steadyCommander) stop(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	testkit.Eventually(t, testkit.Patience, c.name+" has the end of its slow command and of its last one", func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, id := range []string{c.sent[0], c.sent[len(c.sent)-1]} {
			if len(c.ends[id]) == 0 {
				return fmt.Errorf("%s has none", id)
			}
		}
		return nil
	})
	c.cancel()
	c.running.Wait()
}

// mustBeTrue checks that each command ran at most once, and that what its sender was told of it is true. It returns how
// many were sent, and of how many no bridge has read the message: they met the close frame on their way.
func (c *steadyCommander) mustBeTrue(t *testing.T, arrived func() map[string]int) (sent, crossed int) {
	t.Helper()
	for _, id := range c.sent[1:] {
		if slices.Contains(c.ends[id], ":") {
			awaitArrival(t, arrived, id) // the actor answers before it counts
		}
	}
	ran := arrived()
	ran[c.sent[0]]++ // at the other actor, which has it
	for _, id := range c.sent {
		var told []string
		for _, end := range c.ends[id] {
			if end != waiting {
				told = append(told, end)
			}
		}
		switch {
		case ran[id] > 1 || len(told) > 1:
			t.Errorf("%s ran %d times, and its sender was told %q", id, ran[id], told)
		case len(told) == 0 && ran[id] > 0:
			t.Errorf("%s ran, and its sender was told nothing", id)
		case len(told) == 0:
			crossed++
		case told[0] != ":" && told[0] != "unknown" && ran[id] > 0:
			t.Errorf("%s ran, and its sender was told %q", id, told)
		}
	}
	return len(c.sent), crossed
}
