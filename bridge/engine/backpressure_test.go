//go:build unix

package engine

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestAMessageThatWaitedForBackpressureIsLate(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		var clock leap
		late := make(chan time.Duration, 2)
		// No step counts as a pause, however slow the machine is.
		const after, step, steps = time.Hour, 40 * time.Minute, 3
		s := start(Config{Loops: 1, Limits: Limits{LateAfter: after}, clock: clock.now}, func(s *server) {
			s.message = func(_ Conn, m Message) { late <- m.Late }
		})
		c := s.dial(t)
		l := s.loops[0]
		s.capacity.reading.above.Add(1)
		c.send(text("hello"))
		testkit.WaitUntil(t, "the client is under backpressure", func() bool {
			waits := false
			l.do(func() { waits = l.backpressure.active && len(l.toRead) == 1 })
			return waits
		})
		for range steps {
			clock.by.Add(int64(step))
			// The second one is run by a turn that began after the step.
			l.do(func() {})
			l.do(func() {})
			s.pauses.heartbeat()
		}
		if n := s.Stats().Pauses; n != 0 {
			t.Errorf("%d pauses are counted", n)
		}
		s.capacity.reading.above.Add(-1)
		s.resumeReads()
		if d := testkit.Receive(t, late); d < steps*step {
			t.Errorf("the message waited for %v", d)
		}
		testkit.Receive(t, s.messages)
		testkit.WaitUntil(t, "the socket is found empty", func() bool {
			waited := true
			l.do(func() { l.conns.each(func(c *conn) { waited = c.late }) })
			return !waited
		})
		c.send(text("again"))
		if d := testkit.Receive(t, late); d != 0 {
			t.Errorf("the next message waited for %v", d)
		}
	})
}

// A deadline does not apply to input that waits because of backpressure.
func TestBackpressureLetsNoReadDeadlineExpire(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		const clients = 200 // more than a turn reads
		limits := Limits{PingAfter: tickLength, PongTimeout: 20 * tickLength, HeadTimeout: 20 * tickLength}
		s := start(Config{Loops: 1, Limits: limits})
		received := make(chan string, clients)
		var answering sync.WaitGroup
		for range clients {
			c := s.dial(t)
			answering.Go(func() { received <- answerPings(c) })
		}
		l := s.loops[0]
		waiting := s.dialRaw(t)
		l.do(func() {}) // it is accepted, or will be in a turn under backpressure
		s.capacity.reading.above.Add(1)
		waiting.send([]byte(upgradeRequest))
		began := l.coarse()
		testkit.WaitUntil(t, "all are pinged, and all deadlines have passed", func() bool {
			return began+3*ticks(limits.PingAfter)+ticks(limits.PongTimeout)+2 < l.coarse()
		})
		s.capacity.reading.above.Add(-1)
		s.resumeReads()
		if resp := waiting.response(); resp.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("a request that was there is answered with %s", resp.Status)
		}
		s.log.Append(Text("news"))
		answering.Wait()
		for range clients {
			if got := <-received; got != "news" {
				t.Fatalf("a client has %s", got)
			}
		}
	})
}

// After backpressure a loop reads some connections in each turn, and its wheel may turn in between.
func TestNoDeadlineAppliesToInputThatIsReadSoonAfterBackpressure(t *testing.T) {
	l := &loop{engine: &Engine{}}
	l.engine.pauses.clock = func() time.Duration { return 0 }
	unread, idle := &conn{state: stateOpen, readQueued: true}, &conn{state: stateOpen}
	for _, step := range []struct {
		name   string
		do     func()
		unread bool
	}{
		{"before", func() {}, false},
		{"under backpressure", func() { l.engine.capacity.reading.above.Add(1) }, true},
		{"at its end", func() { l.engine.capacity.reading.above.Add(-1) }, true},
		{"while others are read", func() { l.wheel.now += ticks(catchUpTime) - 1 }, true},
		{"long after", func() { l.wheel.now++ }, false},
	} {
		step.do()
		l.underBackpressure()
		if got := l.inputUnread(unread); got != step.unread {
			t.Errorf("%s: input that waits is excused: %t", step.name, got)
		}
		if l.inputUnread(idle) {
			t.Errorf("%s: a connection without input is excused", step.name)
		}
	}
}

// answerPings answers pings until another frame is received, and returns its payload, or the error.
func answerPings(c *client) string {
	for {
		f, err := readFrame(c.r)
		if err == nil && f.Header.OpCode == ws.OpPing {
			_, err = c.Write(masked(true, ws.OpPong, ""))
		}
		if err != nil {
			return err.Error()
		}
		if f.Header.OpCode != ws.OpPing {
			return string(f.Payload)
		}
	}
}
