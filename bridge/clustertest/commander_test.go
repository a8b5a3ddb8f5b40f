//go:build cluster

package clustertest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

// commandTimeout is how long a commander waits for a command's end. By then the outcome at the
// broker is known: a command that times out was confirmed. A client may wait for 256 commands at
// once, so there are several commanders.
const (
	commandTimeout      = 10 * time.Second
	commandersPerBridge = 5
)

// commander is a v1 client that sends commands at a steady rate, each once, and records how each
// ended. The id of a command is the commander's name and its number.
type commander struct {
	name      string
	consumers []string
	cancel    context.CancelFunc
	ended     sync.WaitGroup

	// mu guards the following fields.
	mu       sync.Mutex
	commands []command // by number
	thrown   []error
}

// command records how a command ended.
type command struct {
	id      string
	sent    time.Time
	ends    []string // its results and errors, of which there should be one
	endedIn time.Duration
}

// The ends that are not error codes.
const (
	endedDone    = "done"
	endedFailed  = "failed"
	endedTimeout = "timeout" // it was confirmed, and no end was heard
)

func startCommander(t *testing.T, name, addr string, rate int, consumers ...string) *commander {
	ctx, cancel := context.WithCancel(context.Background())
	c := &commander{name: name, consumers: consumers, cancel: cancel}
	c.ended.Go(func() {
		for ctx.Err() == nil {
			if err := c.connect(ctx, addr, rate); ctx.Err() == nil {
				c.mu.Lock()
				c.thrown = append(c.thrown, err)
				c.mu.Unlock()
				pause(ctx, 20*time.Millisecond)
			}
		}
	})
	t.Cleanup(c.stop)
	return c
}

// stop returns when all commands have ended, or should have.
func (c *commander) stop() {
	c.cancel()
	c.ended.Wait()
}

func (c *commander) connect(ctx context.Context, addr string, rate int) error {
	alive, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	conn, err := dialV1(alive, addr, "silent=1")
	if err != nil {
		return err
	}
	var reading sync.WaitGroup
	defer reading.Wait()
	defer hangUp()
	reading.Go(func() {
		defer hangUp()
		for {
			m, err := conn.read()
			if err != nil {
				return
			}
			c.take(m)
		}
	})
	began := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for sent := 0; ; {
		select {
		case <-ctx.Done():
			pause(alive, commandTimeout+2*time.Second) // for the last ends
			return nil
		case <-alive.Done():
			return fmt.Errorf("%s lost its connection", c.name)
		case <-tick.C:
		}
		for due := int(time.Since(began).Seconds() * float64(rate)); sent < due; sent++ {
			if err := wsutil.WriteClientText(conn, []byte(c.next())); err != nil {
				return err
			}
		}
	}
}

// next returns a new command.
func (c *commander) next() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.commands)
	id := fmt.Sprintf("%s-%d", c.name, n)
	c.commands = append(c.commands, command{id: id, sent: time.Now()})
	return fmt.Sprintf(`{"op": "command", "id": %q, "command_id": %q, "consumer": %q, "command_string": "run", "timeout_ms": %d}`,
		id, id, c.consumers[n%len(c.consumers)], commandTimeout.Milliseconds())
}

func (c *commander) take(m serverMessage) {
	var end string
	switch {
	case m.Op == "error":
		end = m.Code
	case m.Op == "result" && m.Status == endedFailed && strings.HasPrefix(m.Message, "Failed routing"):
		end = amqpx.Returned.String()
	case m.Op == "result":
		end = m.Status
	default:
		return
	}
	_, number, _ := strings.Cut(m.CommandID, "-")
	var n int
	_, err := fmt.Sscan(number, &n)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || n >= len(c.commands) {
		c.thrown = append(c.thrown, fmt.Errorf("an end of no command: %+v", m))
		return
	}
	done := &c.commands[n]
	done.ends = append(done.ends, end)
	done.endedIn = time.Since(done.sent)
}

// sent returns how many commands were sent.
func (c *commander) sent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.commands)
}

// runner is an actor that records which commands it ran.
type runner struct {
	name string
	link *linkLog

	// mu guards the following field.
	mu  sync.Mutex
	ran map[string]int // by command id
}

func startRunner(t *testing.T, name string, urls []string) *runner {
	t.Helper()
	r := &runner{name: name, link: &linkLog{}, ran: map[string]int{}}
	a, err := actor.New(actor.Config{Name: name, Link: amqpx.Config{
		URLs: urls, OnState: r.link.note, Logger: logger(t, name),
	}})
	if err != nil {
		t.Fatal(err)
	}
	a.Handle("run", "Runs.", func(_ context.Context, c *actor.Call) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ran[c.Command.CommandID]++
		return nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	return r
}

// times returns how often a command ran.
func (r *runner) times(id string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ran[id]
}

// linkLog records when a link was up.
type linkLog struct {
	// mu guards the following fields.
	mu      sync.Mutex
	changes []linkChange
	broker  string
}

type linkChange struct {
	at time.Time
	up bool
}

func (l *linkLog) note(s amqpx.State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.Up {
		l.broker = s.Broker
	}
	if len(l.changes) == 0 || l.changes[len(l.changes)-1].up != s.Up {
		l.changes = append(l.changes, linkChange{time.Now(), s.Up})
	}
}

// up reports whether the link is up, and returns the last broker.
func (l *linkLog) up() (up bool, broker string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.changes) > 0 && l.changes[len(l.changes)-1].up, l.broker
}

// down returns how long the link was down within a span of time.
func (l *linkLog) down(from, to time.Time) (total time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, c := range l.changes {
		end := to
		if i+1 < len(l.changes) && l.changes[i+1].at.Before(to) {
			end = l.changes[i+1].at
		}
		begin := c.at
		if begin.Before(from) {
			begin = from
		}
		if !c.up && end.After(begin) {
			total += end.Sub(begin)
		}
	}
	return total
}
