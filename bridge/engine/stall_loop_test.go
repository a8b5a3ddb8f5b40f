//go:build unix

package engine

import (
	"bytes"
	"cmp"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// leap is a clock that a test moves forward.
type leap struct{ by atomic.Int64 }

func (l *leap) now() time.Duration { return bootClock() + time.Duration(l.by.Load()) }

const nap = 8 * time.Second

// sleeper is an engine on one loop that a test can stall.
type sleeper struct {
	*server
	clock   leap
	arrived chan lateMessage
}

type lateMessage struct {
	text    string
	stalled bool
}

func startSleeper(t *testing.T, start starter, cfg Config, adjust ...func(*sleeper)) *sleeper {
	t.Helper()
	s := &sleeper{arrived: make(chan lateMessage, 10_000)}
	cfg.Loops, cfg.clock = 1, s.clock.now
	// The clock leaps far in this test, so that real delays are no stalls.
	cfg.StallAfter = cmp.Or(cfg.StallAfter, nap/2)
	s.server = start(cfg, func(server *server) {
		s.server = server
		server.message = func(_ Conn, m Message) {
			if m.Stalled != 0 && (m.Stalled < nap || m.Stalled > nap+testkit.Patience) {
				t.Errorf("%q is marked as having waited for up to %v", m.Payload, m.Stalled)
			}
			s.arrived <- lateMessage{string(m.Payload), m.Stalled > 0}
		}
		for _, f := range adjust {
			f(s)
		}
	})
	s.mute.Store(true)
	return s
}

// onSleepers runs a test on such an engine with every poller.
func onSleepers(t *testing.T, cfg Config, test func(t *testing.T, s *sleeper)) {
	onPollers(t, func(t *testing.T, start starter) { test(t, startSleeper(t, start, cfg)) })
}

// sleep stalls the loop while something happens.
func (s *sleeper) sleep(t *testing.T, meanwhile func()) {
	t.Helper()
	asleep, wake := make(chan struct{}), make(chan struct{})
	s.loops[0].mail.post(func() { close(asleep); <-wake })
	testkit.Await(t, asleep)
	meanwhile()
	s.clock.by.Add(int64(nap))
	close(wake)
}

func (s *sleeper) expect(t *testing.T, text string, stalled bool) {
	t.Helper()
	if got := testkit.Receive(t, s.arrived); got != (lateMessage{text, stalled}) {
		t.Fatalf("got %.60q, stalled %v; want %.60q, %v", got.text, got.stalled, text, stalled)
	}
}

// isAwake checks that a message sent now is not marked as stalled.
func (s *sleeper) isAwake(t *testing.T, c *client) {
	t.Helper()
	c.send(text("afterwards"))
	s.expect(t, "afterwards", false)
}

func (s *sleeper) open(t *testing.T) *client {
	t.Helper()
	c := s.dialTCP(t)
	c.upgrade("/")
	return c
}

func TestMessagesThatWaitedDuringAStallAreMarked(t *testing.T) {
	onSleepers(t, Config{}, func(t *testing.T, s *sleeper) {
		waiting, idle := s.open(t), s.open(t)
		waiting.send(text("before"))
		s.expect(t, "before", false)
		s.sleep(t, func() { waiting.send(text("meanwhile"), text("and more")) })
		s.expect(t, "meanwhile", true)
		s.expect(t, "and more", true)
		s.isAwake(t, waiting)
		idle.send(text("who was idle"))
		s.expect(t, "who was idle", false)
	})
}

func TestAMessageThatBeganBeforeAStallIsMarked(t *testing.T) {
	onSleepers(t, Config{}, func(t *testing.T, s *sleeper) {
		c := s.open(t)
		whole := text("in two parts")
		c.send(text("before"), whole[:8])
		s.expect(t, "before", false)
		s.sleep(t, func() {})
		c.send(whole[8:])
		s.expect(t, "in two parts", true)
		s.isAwake(t, c)
	})
}

func TestMoreStalledInputThanATurnIsMarkedToItsEnd(t *testing.T) {
	onSleepers(t, Config{}, func(t *testing.T, s *sleeper) {
		c := s.open(t)
		const n = 1500
		s.sleep(t, func() { c.send(bytes.Repeat(text("meanwhile"), n)) })
		for range n {
			s.expect(t, "meanwhile", true)
		}
		s.isAwake(t, c)
	})
}

func TestAConnectionThatArrivedDuringAStallIsMarked(t *testing.T) {
	onSleepers(t, Config{}, func(t *testing.T, s *sleeper) {
		var c, silent *client
		s.sleep(t, func() {
			c, silent = s.dialTCP(t), s.dialTCP(t)
			c.send([]byte(upgradeRequest), text("meanwhile"))
		})
		s.expect(t, "meanwhile", true)
		c.response()
		s.isAwake(t, c)
		silent.upgrade("/")
		silent.send(text("silent until now"))
		s.expect(t, "silent until now", false)
		later := s.open(t)
		later.send(text("who came afterwards"))
		s.expect(t, "who came afterwards", false)
	})
}

func TestAStallBetweenTwoMessagesIsDetected(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		var once sync.Once
		s := startSleeper(t, start, Config{}, func(s *sleeper) {
			report := s.message
			s.message = func(c Conn, m Message) {
				report(c, m)
				once.Do(func() { s.clock.by.Add(int64(nap)) })
			}
		})
		c, other := s.open(t), s.open(t)
		c.send(text("first"), text("second"))
		s.expect(t, "first", false)
		s.expect(t, "second", true)
		c.send(text("third"))
		s.expect(t, "third", false)
		other.send(text("another's"))
		s.expect(t, "another's", false)
	})
}

func TestAShortStopIsNoStall(t *testing.T) {
	onSleepers(t, Config{Limits: Limits{StallAfter: time.Hour}}, func(t *testing.T, s *sleeper) {
		c := s.open(t)
		s.sleep(t, func() { c.send(text("meanwhile")) })
		s.expect(t, "meanwhile", false)
		if st := s.Stats(); st.Stalls != 0 || s.Stalled() != 0 {
			t.Errorf("%d stalls are counted", st.Stalls)
		}
	})
}

func TestAStallIsLoggedOnceAndCounted(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		var out lockedBuffer
		s := startSleeper(t, start, Config{Logger: slog.New(slog.NewTextHandler(&out, nil))})
		c := s.open(t)
		s.sleep(t, func() { c.send(text("meanwhile")) })
		s.expect(t, "meanwhile", true)
		s.stalls.heartbeat()
		if st := s.Stats(); st.Stalls != 1 || st.Stalled < nap || st.Stalled > nap+testkit.Patience {
			t.Errorf("%d stalls of %v are counted", st.Stalls, st.Stalled)
		}
		if n := strings.Count(out.String(), "stood still"); n != 1 {
			t.Errorf("the log reports %d times that the engine stood still:\n%s", n, out.String())
		}
	})
}

func TestStalledReportsAStallForASecond(t *testing.T) {
	var clock leap
	e := &Engine{cfg: Config{Limits: Limits{StallAfter: 5 * time.Second}, Logger: slog.New(slog.DiscardHandler), clock: clock.now}}
	e.stalls.init(&e.cfg)
	if d := e.Stalled(); d != 0 {
		t.Fatalf("stood still for %v at the start", d)
	}
	clock.by.Add(int64(nap))
	if d := e.Stalled(); d < nap {
		t.Errorf("not noticed yet: %v", d)
	}
	e.stalls.heartbeat()
	if d := e.Stalled(); d < nap {
		t.Errorf("just noticed: %v", d)
	}
	clock.by.Add(int64(recentStall))
	if d := e.Stalled(); d != 0 {
		t.Errorf("a second later: %v", d)
	}
}
