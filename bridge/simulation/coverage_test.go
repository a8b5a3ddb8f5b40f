package simulation

import (
	"fmt"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx"
)

// coverage counts what happened in all runs together. A simulation in which something never happens does not test it.
type coverage struct {
	outcomes [amqpx.Unknown + 1]int
	events   map[string]int
}

func (c *coverage) add(w *world) {
	if c.events == nil {
		c.events = map[string]int{}
	}
	for _, cmd := range w.commands {
		for _, o := range cmd.outcomes {
			c.outcomes[o]++
		}
	}
	for _, e := range w.linkEvents {
		if e.gap != nil {
			c.events["gap"]++
		} else {
			c.events["reply"]++
		}
	}
	for _, client := range w.clients {
		for _, r := range client.records {
			for i := range r.came {
				c.events[r.came[i].event()]++
			}
		}
	}
}

// event names what a message shows.
func (m *message) event() string {
	switch {
	case m.Resumed != nil && *m.Resumed:
		return "resumed"
	case m.Resumed != nil:
		return "not resumed"
	case m.Op == "result":
		return m.Status
	}
	return m.Op
}

func (c coverage) String() string {
	s := fmt.Sprint(c.events)
	for o, n := range c.outcomes {
		s += fmt.Sprintf(" %v:%d", amqpx.Outcome(o), n)
	}
	return s
}

// check checks that everything has happened.
func (c coverage) check(t *testing.T) {
	for o, n := range c.outcomes {
		if n == 0 {
			t.Errorf("no command was %v", amqpx.Outcome(o))
		}
	}
	for _, e := range []string{"gap", "reply", "hello", "ok", "resumed", "not resumed", "snapshot", "pong", "broker", "dropped", "error", "done", "failed", "timeout"} {
		if c.events[e] == 0 {
			t.Errorf("no %q in any run", e)
		}
	}
}
