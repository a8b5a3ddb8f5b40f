//go:build unix

package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// activeLogs counts the logs that the next ticks will check.
func activeLogs(s *server) (n int) {
	for _, l := range s.loops {
		count := make(chan int)
		l.mail.post(func() { count <- len(l.activeRings) })
		n += <-count
	}
	return n
}

func TestALogWithoutFramesCostsNothingPerTick(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 2, Limits: Limits{LogAge: 500 * time.Millisecond}})
		c := s.dial(t)
		logs := make([]*Log, 1000)
		for i := range logs {
			logs[i] = s.NewLog()
			logs[i].Append(Text("for nobody"))
		}
		s.log.Append(Text("news"))
		c.expect("news")
		testkit.WaitUntil(t, "no log is active", func() bool { return activeLogs(s) == 0 })
		if n := len(logs[0].rings); n > 0 && logs[0].rings[0].bytes != 0 {
			t.Error("a frame is kept that no follower needs")
		}
	})
}

func TestALogIsActiveAgainWhenItHasFrames(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1, Limits: Limits{LogAge: 500 * time.Millisecond}})
		good := s.dial(t)
		s.log.Append(Text("news"))
		good.expect("news")
		testkit.WaitUntil(t, "no log is active", func() bool { return activeLogs(s) == 0 })
		s.dial(t) // reads nothing
		frame := strings.Repeat("x", 100_000)
		for range 80 {
			s.log.Append(Text(frame))
			good.expect(frame)
		}
		if note := testkit.Receive(t, s.closed); note.code != 1008 {
			t.Fatalf("closed with %v", note)
		}
		testkit.WaitUntil(t, "no log is active", func() bool { return activeLogs(s) == 0 })
	})
}
