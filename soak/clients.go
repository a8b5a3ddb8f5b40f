//go:build unix

package soak

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/conformance"
	"github.com/clu-ws/clu-ws/conformance/chaos"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// How many gaps and faults are told when something is wrong, and how their times are written.
const (
	tellsGaps   = 5
	tellsFaults = 30
	clock       = "15:04:05.000"
)

// The subscriptions of each client: one to all broadcasts, and one to each second one.
const (
	all  = "all"
	even = "even"
)

// Of commands: how long a client waits for their ends, and for how long some of them are good. One is late if it reaches its
// actor more than lateMargin after that: clocks differ.
const (
	waits      = 20 * time.Second
	expires    = 2 * time.Second
	lateMargin = time.Second
)

// client is a client of the library of some language, behind a network of its own.
type client struct {
	name  string
	d     *conformance.Driver
	proxy *testkit.ChaosProxy
	heard sync.WaitGroup
	said  chan struct{} // has a token after an event

	mu       sync.Mutex // guards the following fields
	commands *chaos.Commands
	sent     map[string]time.Time
	ended    map[string]time.Time // when it had its first end
	expiring map[string]bool
	subs     map[string]*ledger
	begun    map[string]bool
	closed   bool
	wrong    []string
	gaps     int      // in all
	told     []string // of the gaps, the last ones
}

// newClient connects a client, and subscribes.
func newClient(t testing.TB, name string, d *conformance.Driver, addr string, seed uint64) *client {
	t.Helper()
	c := &client{
		name: name, d: d, proxy: testkit.StartChaosProxy(t, addr, seed), said: make(chan struct{}, 1), commands: chaos.NewCommands(),
		sent: map[string]time.Time{}, ended: map[string]time.Time{}, expiring: map[string]bool{},
		subs: map[string]*ledger{all: newLedger(1), even: newLedger(2)}, begun: map[string]bool{},
	}
	c.commands.LateEnds = !slices.Contains(d.Without, chaos.LateEnds)
	c.heard.Go(func() {
		for event := range d.Events() {
			c.event(event)
		}
	})
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		c.heard.Wait()
	})
	c.call(t, conformance.Message{"call": "connect", "url": "ws://" + c.proxy.Addr + "/", "silence_ms": 2000})
	for as, filter := range map[string]conformance.Message{all: {"sender": "weather"}, even: {"keyword": "even"}} {
		c.call(t, conformance.Message{"call": "subscribe", "as": as, "filter": filter, "snapshot": false})
	}
	testkit.WaitUntil(t, name+" has subscribed", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.begun[all] && c.begun[even]
	})
	return c
}

func (c *client) call(t testing.TB, m conformance.Message) {
	t.Helper()
	if err := c.d.Call(m); err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
}

// event notes what the client shows.
func (c *client) event(m conformance.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	on := fmt.Sprint(m["on"])
	switch m["event"] {
	case "subscribed":
		c.begun[on] = true
	case "closed":
		c.closed = true
	case "gap":
		c.gaps++
		c.told = append(c.told[max(0, len(c.told)-tellsGaps+1):], fmt.Sprintf("%s at %d: %v", time.Now().UTC().Format(clock), c.subs[all].last, m))
		for name, l := range c.subs {
			if m["on"] == nil || name == on {
				l.gaps++
			}
		}
	case "dropped", "refused", "broken", "unauthorized":
		c.wrong = append(c.wrong, fmt.Sprintf("%v: %v", m["event"], m))
	case "reply":
		body, _ := m["body"].(map[string]any)
		text, _ := body["n"].(json.Number)
		n, err := text.Int64()
		if l := c.subs[on]; l != nil && err == nil {
			l.show(int(n))
		} else {
			c.wrong = append(c.wrong, fmt.Sprintf("a reply is not understood: %v", m))
		}
	case "command":
		if as := fmt.Sprint(m["as"]); !c.closed {
			c.commands.Show(m)
			if _, had := c.ended[as]; !had && m["state"] != "sent" && m["state"] != "running" {
				c.ended[as] = time.Now()
			}
		}
	}
}

// send sends a command. Each second one expires.
func (c *client) send() error {
	c.mu.Lock()
	as := c.commands.Next()
	m := conformance.Message{
		"call": "send", "as": as, "consumer": "dome", "command_string": c.commands.Does(as), "command_id": c.name + "-" + as,
		"timeout_ms": waits.Milliseconds(),
	}
	c.sent[as] = time.Now()
	if len(c.sent)%2 == 0 {
		c.expiring[as] = true
		m["expires_ms"] = expires.Milliseconds()
	}
	c.mu.Unlock()
	return c.d.Call(m)
}

// got notes that the actor got a command. While the broker or this process is disturbed, one that was sent in time may come late.
func (c *client) got(as string, at time.Time, disturbed []span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commands.Got(as)
	sent, ok := c.sent[as]
	switch {
	case !ok:
		c.wrong = append(c.wrong, "the actor got the command "+as+", which was never sent")
	case c.expiring[as] && at.After(sent.Add(expires+lateMargin)) && !overlaps(disturbed, sent, at):
		c.commands.Late(as)
	}
}

// loseReplies notes that the ends of the commands that have none yet may be lost.
func (c *client) loseReplies() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commands.LoseReplies()
}

// reached reports whether all subscriptions have shown a broadcast, or a later one.
func (c *client) reached(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.subs[all].reached(n) && c.subs[even].reached(n)
}

// last is the last broadcast that it has shown.
func (c *client) last() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.subs[all].last
}

// unsettled describes a command whose end is to come, "" without one.
func (c *client) unsettled() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.commands.Unsettled()
}

// check returns what is wrong with what it has shown since the last check.
func (c *client) check(end int, lossy bool, outcome func(int) testkit.Outcome, away []span) (wrong []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wrong, c.wrong = c.wrong, nil
	for _, as := range []string{all, even} {
		for _, text := range c.subs[as].check(end, lossy, outcome) {
			wrong = append(wrong, fmt.Sprintf("on %q: %s", as, text))
		}
	}
	for as, sent := range c.sent {
		if ended, ok := c.ended[as]; ok && overlaps(away, sent, ended) {
			c.commands.Away(as)
		}
	}
	wrong = append(wrong, c.commands.Verdict()...)
	if len(wrong) > 0 {
		wrong = append(wrong, "the last gaps that were told:\n"+strings.Join(c.told, "\n"))
	}
	for i, text := range wrong {
		wrong[i] = c.name + ": " + text
	}
	return wrong
}

// owner returns the client of a command, and what it calls it.
func owner(clients []*client, id string) (*client, string) {
	name, as, _ := strings.Cut(id, "-")
	for _, c := range clients {
		if c.name == name {
			return c, as
		}
	}
	return nil, as
}
