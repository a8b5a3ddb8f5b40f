//go:build unix

package engine

import (
	"testing"
	"time"
)

func TestAMessageThatWaitedForTheWorkOfTheLoopsIsLate(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		var clock leap
		late := make(chan time.Duration, 2)
		// No step is a stall, however slow the machine is.
		const after, step, steps = time.Hour, 40 * time.Minute, 3
		s := start(Config{Loops: 1, Limits: Limits{StallAfter: after}, clock: clock.now}, func(s *server) {
			s.message = func(_ Conn, m Message) { late <- m.Stalled }
		})
		c := s.dial(t)
		l := s.shards[0].(*loop)
		s.room.reading.above.Add(1)
		c.send(text("hello"))
		eventually(t, "the client is put off", func() bool {
			waits := false
			l.ask(func() { waits = l.putOff.on && len(l.unread) == 1 })
			return waits
		})
		for range steps {
			clock.by.Add(int64(step))
			// The second one is of a turn that began after the step.
			l.ask(func() {})
			l.ask(func() {})
			s.stalls.heartbeat()
		}
		if n := s.Stats().Stalls; n != 0 {
			t.Errorf("%d stalls are counted", n)
		}
		s.room.reading.above.Add(-1)
		s.readOn()
		if d := receive(t, late); d < steps*step {
			t.Errorf("the message waited for %v", d)
		}
		receive(t, s.messages)
		eventually(t, "the socket is found empty", func() bool {
			waited := true
			l.ask(func() { l.conns.each(func(c *conn) { waited = c.waited }) })
			return !waited
		})
		c.send(text("again"))
		if d := receive(t, late); d != 0 {
			t.Errorf("the next message waited for %v", d)
		}
	})
}
