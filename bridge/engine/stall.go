package engine

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// stallMemory is how long [Engine.Stalled] reports a stall after its end: by then the
// input that waited has been read.
const stallMemory = time.Second

// stalls detects that the process stood still: it was stopped or suspended, sat in a
// debugger, or got no CPU. Each loop checks for itself, by a clock that keeps running
// (late.go); a heartbeat serves everything else.
type stalls struct {
	clock func() time.Duration // monotonic, including time in suspend
	after time.Duration        // Limits.StallAfter
	log   *slog.Logger
	ended chan struct{} // ends the heartbeat

	beat  atomic.Int64          // the last heartbeat, by the clock
	last  atomic.Pointer[stall] // the last one, found by a loop or the heartbeat
	count atomic.Uint64         // all stalls
	total atomic.Int64          // their length in nanoseconds
}

// stall is a span of time in which the process stood still.
type stall struct {
	end    time.Duration // by the clock
	length time.Duration
}

func (s *stalls) init(cfg *Config) {
	s.clock, s.after, s.log = cfg.clock, cfg.StallAfter, cfg.Logger
	if s.clock == nil {
		s.clock = bootClock
	}
	s.ended = make(chan struct{})
	s.beat.Store(int64(s.clock()))
}

// watch runs the heartbeat until the engine ends.
func (s *stalls) watch() {
	tick := time.NewTicker(tickLength)
	defer tick.Stop()
	for {
		select {
		case <-s.ended:
			return
		case <-tick.C:
			s.heartbeat()
		}
	}
}

// heartbeat notes a stall if the last heartbeat is too old.
func (s *stalls) heartbeat() {
	now := s.clock()
	if gap := now - time.Duration(s.beat.Load()); gap > s.after {
		s.note(now, gap)
	}
	s.beat.Store(int64(now))
}

// note counts and logs a stall that ends now, unless a loop or the heartbeat has noted
// it already.
func (s *stalls) note(now, length time.Duration) {
	last := s.last.Load()
	if last != nil && last.end > now-length || !s.last.CompareAndSwap(last, &stall{now, length}) {
		return
	}
	s.count.Add(1)
	s.total.Add(int64(length))
	s.log.Warn("the process stood still: messages that clients sent meanwhile are late", "for", length.Round(100*time.Millisecond))
}

// Stalled returns how long the process stood still, if the stall ended less than a
// second ago or has not been noticed yet, else 0. It is for requests that do not come
// as a [Message], such as those of net/http.
func (e *Engine) Stalled() time.Duration { return e.stalls.recent().length }

// recent is a stall that ended less than a second ago, or has not been noticed yet;
// without one it is zero.
func (s *stalls) recent() stall {
	now := s.clock()
	if gap := now - time.Duration(s.beat.Load()); gap > s.after {
		return stall{now, gap}
	}
	if last := s.last.Load(); last != nil && now-last.end < stallMemory {
		return *last
	}
	return stall{}
}
