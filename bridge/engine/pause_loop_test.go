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

// nap is far longer than the machine may really stop the test.
const nap = time.Hour

// sleeper is an engine on one loop that a test can pause.
type sleeper struct {
	*server
	clock   leap
	arrived chan lateMessage
}

type lateMessage struct {
	text string
	late bool
}

func startSleeper(t *testing.T, start starter, cfg Config, adjust ...func(*sleeper)) *sleeper {
	t.Helper()
	s := &sleeper{arrived: make(chan lateMessage, 10_000)}
	cfg.Loops, cfg.clock = 1, s.clock.now
	// The clock leaps far in these tests, so that real delays are no pauses.
	cfg.LateAfter = cmp.Or(cfg.LateAfter, nap/2)
	s.server = start(cfg, func(server *server) {
		s.server = server
		server.message = func(_ Conn, m Message) {
			if m.Late != 0 && (m.Late < nap || m.Late > nap+testkit.Patience) {
				t.Errorf("%q is marked as having waited for up to %v", m.Payload, m.Late)
			}
			s.arrived <- lateMessage{string(m.Payload), m.Late > 0}
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

// sleep pauses the loop while something happens.
func (s *sleeper) sleep(t *testing.T, meanwhile func()) {
	t.Helper()
	asleep, wake := make(chan struct{}), make(chan struct{})
	s.loops[0].mail.post(func() { close(asleep); <-wake })
	testkit.Await(t, asleep)
	meanwhile()
	s.clock.by.Add(int64(nap))
	close(wake)
}

func (s *sleeper) expect(t *testing.T, text string, late bool) {
	t.Helper()
	if got := testkit.Receive(t, s.arrived); got != (lateMessage{text, late}) {
		t.Fatalf("got %.60q, late %v; want %.60q, %v", got.text, got.late, text, late)
	}
}

// isAwake checks that a message sent now is not marked as late.
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

func TestMessagesThatWaitedDuringAPauseAreMarked(t *testing.T) {
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

func TestAMessageThatBeganBeforeAPauseIsMarked(t *testing.T) {
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

func TestMoreLateInputThanATurnIsMarkedToItsEnd(t *testing.T) {
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

func TestAConnectionThatArrivedDuringAPauseIsMarked(t *testing.T) {
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

func TestAPauseBetweenTwoMessagesIsDetected(t *testing.T) {
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

func TestAShortStopIsNoPause(t *testing.T) {
	onSleepers(t, Config{Limits: Limits{LateAfter: 2 * nap}}, func(t *testing.T, s *sleeper) {
		c := s.open(t)
		s.sleep(t, func() { c.send(text("meanwhile")) })
		s.expect(t, "meanwhile", false)
		if st := s.Stats(); st.Pauses != 0 || s.Paused() != 0 {
			t.Errorf("%d pauses are counted", st.Pauses)
		}
	})
}

func TestAPauseIsLoggedOnceAndCounted(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		var out lockedBuffer
		s := startSleeper(t, start, Config{Logger: slog.New(slog.NewTextHandler(&out, nil))})
		c := s.open(t)
		s.sleep(t, func() { c.send(text("meanwhile")) })
		s.expect(t, "meanwhile", true)
		s.pauses.heartbeat()
		if st := s.Stats(); st.Pauses != 1 || st.Paused < nap || st.Paused > nap+testkit.Patience {
			t.Errorf("%d pauses of %v are counted", st.Pauses, st.Paused)
		}
		if n := strings.Count(out.String(), "was paused"); n != 1 {
			t.Errorf("the log reports %d times that the process was paused:\n%s", n, out.String())
		}
	})
}

func TestPausedReportsAPauseForASecond(t *testing.T) {
	var now time.Duration
	clock := func() time.Duration { return now }
	e := &Engine{cfg: Config{Limits: Limits{LateAfter: nap / 2}, Logger: slog.New(slog.DiscardHandler), clock: clock}}
	e.pauses.init(&e.cfg)
	if d := e.Paused(); d != 0 {
		t.Fatalf("paused for %v at the start", d)
	}
	now += nap
	if d := e.Paused(); d != nap {
		t.Errorf("not noticed yet: %v", d)
	}
	e.pauses.heartbeat()
	if d := e.Paused(); d != nap {
		t.Errorf("just noticed: %v", d)
	}
	now += recentPause - 1
	if d := e.Paused(); d != nap {
		t.Errorf("less than a second later: %v", d)
	}
	now++
	if d := e.Paused(); d != 0 {
		t.Errorf("a second later: %v", d)
	}
}
