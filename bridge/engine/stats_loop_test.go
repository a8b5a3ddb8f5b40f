//go:build unix

package engine

import (
	"fmt"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestStatsReportALoopsMailAndLag(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1})
		testkit.WaitUntil(t, "ticks are counted", func() bool { return s.Stats().Lag.Count >= 2 })
		if lag := s.Stats().Lag; lag.Bounds[0] != 0.001 || lag.Bounds[9] != 1 {
			t.Errorf("the bounds are %v", lag.Bounds)
		}
		before := s.Stats().Lag
		blocked, release := make(chan struct{}), make(chan struct{})
		s.loops[0].mail.post(func() { close(blocked); <-release })
		<-blocked
		frame := Text("waits")
		s.log.Append(frame)
		s.log.Append(frame)
		if n := s.Stats().Mail; n != 2*len(frame) {
			t.Errorf("%d bytes wait in the mailbox, want %d", n, 2*len(frame))
		}
		from := s.now()
		testkit.WaitUntil(t, "three ticks are missed", func() bool { return s.now() >= from+4 })
		close(release)
		testkit.WaitUntil(t, "the mail is gone", func() bool { return s.Stats().Mail == 0 })
		slow := func(lag Lag) uint64 { return lag.Counts[9] + lag.Counts[10] } // above half a second
		testkit.Eventually(t, testkit.Patience, "the delayed tick is counted", func() error {
			after := s.Stats().Lag
			if slow(after) == slow(before) || after.Sum-before.Sum < 0.5 {
				return fmt.Errorf("the lag went from %+v to %+v", before, after)
			}
			return nil
		})
	})
}

func TestStatsDoNotWaitForALoop(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1})
		s.dial(t)
		stuck, release := make(chan struct{}), make(chan struct{})
		s.loops[0].mail.post(func() { close(stuck); <-release })
		<-stuck
		frame := Text(string(make([]byte, 1<<20)))
		for range 8 { // more than sourceMailLimit
			s.log.Append(frame)
		}
		if n := s.Stats().Mail; n != 8*len(frame) {
			t.Errorf("%d bytes wait in the mailbox, want %d", n, 8*len(frame))
		}
		s.Paused()
		close(release)
	})
}
