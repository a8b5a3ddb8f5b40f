package bridge_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// sentCommand is a command and the outcome that its sender was told.
type sentCommand struct {
	id     string
	nobody bool // sent to a consumer that does not exist
	phase  string
	sent   time.Time
	told   time.Time // of the first error envelope
	errors []string  // the texts of all of them
}

// commander is a client that sends commands at a steady rate, numbered from 0.
type commander struct {
	*client
	name   string
	ponged chan struct{}

	// mu guards the following field.
	mu       sync.Mutex
	commands []*sentCommand
}

// loadClients is a set of commanders that send to one consumer, and every tenth command to
// a consumer that does not exist.
type loadClients struct {
	consumer string
	phase    atomic.Pointer[string]
	list     []*commander
	sending  sync.WaitGroup
	reading  sync.WaitGroup
	stop     context.CancelFunc
}

// startLoad connects n commanders, each of which sends a command per interval until
// stopSending.
func startLoad(t *testing.T, addr, consumer string, n int, every time.Duration) *loadClients {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	g := &loadClients{consumer: consumer, stop: cancel}
	g.enter("quiet")
	t.Cleanup(g.leave)
	for i := range n {
		c := &commander{client: dial(t, addr), name: fmt.Sprint(i), ponged: make(chan struct{}, 1)}
		g.list = append(g.list, c)
		g.reading.Go(c.read)
		g.sending.Go(func() {
			// Each begins at a different moment, so that the commands come evenly.
			tick := time.NewTicker(max(1, every*time.Duration(i)/time.Duration(n)))
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					tick.Reset(every)
					c.command(t, g)
				}
			}
		})
	}
	return g
}

// enter names the phase that begins now, for the table.
func (g *loadClients) enter(phase string) { g.phase.Store(&phase) }

func (g *loadClients) stopSending() {
	g.stop()
	g.sending.Wait()
}

// leave disconnects all clients. After that the records do not change.
func (g *loadClients) leave() {
	g.stopSending()
	for _, c := range g.list {
		c.Close()
	}
	g.reading.Wait()
}

// settle waits until every client has read everything that the bridge has sent it so far.
func (g *loadClients) settle(t *testing.T) {
	t.Helper()
	for _, c := range g.list {
		c.say("ping")
		testkit.Await(t, c.ponged)
	}
}

// command sends the next command.
func (c *commander) command(t *testing.T, g *loadClients) {
	c.mu.Lock()
	i := len(c.commands)
	s := &sentCommand{id: fmt.Sprintf("%s-%d", c.name, i), nobody: i%10 == 9, phase: *g.phase.Load(), sent: time.Now()}
	c.commands = append(c.commands, s)
	c.mu.Unlock()
	consumer := g.consumer
	if s.nobody {
		consumer = "nobody"
	}
	text := fmt.Sprintf(`{"consumer": %q, "command_string": "do it", "command_id": %q}`, consumer, s.id)
	if err := wsutil.WriteClientText(c.Conn, []byte(text)); err != nil {
		t.Errorf("client %s cannot send: %v", c.name, err)
	}
}

// read records every error envelope about the commander's own commands, until the socket is
// closed.
func (c *commander) read() {
	for {
		text, err := wsutil.ReadServerText(c)
		if err != nil {
			return
		}
		if string(text) == "pong" {
			c.ponged <- struct{}{}
			continue
		}
		var e envelope
		if json.Unmarshal(text, &e) != nil || !e.code().Ends() {
			continue
		}
		id, _ := e.header("command_id").(string)
		if owner, _, _ := strings.Cut(id, "-"); owner == c.name {
			c.told(id, e.errorText())
		}
	}
}

func (c *commander) told(id, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.commands {
		if s.id == id {
			if len(s.errors) == 0 {
				s.told = time.Now()
			}
			s.errors = append(s.errors, text)
		}
	}
}
