package engine

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// stallNews is for how long [Engine.Stalled] tells of a stall that is over: what waited
// meanwhile has been taken up by then.
const stallNews = time.Second

// stalls finds out that the process stood still: it was stopped or suspended, sat in
// a debugger, or got no processor. Each loop looks for itself, at the clock that
// goes on meanwhile (stall_linux.go); a heart beats for everybody else.
type stalls struct {
	clock func() time.Duration // since some moment, with the time that the machine slept
	after time.Duration        // Limits.StallAfter
	log   *slog.Logger
	ended chan struct{}     // the heart is to stop
	found func(*standstill) // called by the heart; nil for nobody

	beat  atomic.Int64               // when the heart beat last, by the clock
	last  atomic.Pointer[standstill] // that the heart noticed
	count atomic.Uint64              // stalls ever
	total atomic.Int64               // and their length in nanoseconds

	mu   sync.Mutex
	told standstill // the last that the log was told of; guarded by mu
}

// standstill is a time in which nothing was done.
type standstill struct {
	end    time.Duration // by the clock
	length time.Duration
}

func (s *stalls) init(cfg *Config) {
	s.clock, s.after, s.log = cfg.clock, cfg.StallAfter, cfg.Logger
	if s.clock == nil {
		s.clock = sleeplessClock
	}
	s.ended = make(chan struct{})
	s.beat.Store(int64(s.clock()))
}

// watch beats the heart until the engine ends.
func (s *stalls) watch() {
	tick := time.NewTicker(tickLength)
	defer tick.Stop()
	for {
		select {
		case <-s.ended:
			return
		case <-tick.C:
			s.pulse()
		}
	}
}

// pulse is a beat of the heart.
func (s *stalls) pulse() {
	now := s.clock()
	if gap := now - time.Duration(s.beat.Load()); gap > s.after {
		stall := &standstill{now, gap}
		s.last.Store(stall)
		s.note(now, gap)
		if s.found != nil {
			s.found(stall)
		}
	}
	s.beat.Store(int64(now))
}

// note counts a stall that ends now, and tells the log, unless another loop or the
// heart has told of the same one.
func (s *stalls) note(now, length time.Duration) {
	s.mu.Lock()
	known := s.told.end > now-length
	if !known {
		s.told = standstill{now, length}
	}
	s.mu.Unlock()
	if known {
		return
	}
	s.count.Add(1)
	s.total.Add(int64(length))
	s.log.Warn("the server stood still: what clients sent meanwhile is late", "for", length.Round(100*time.Millisecond))
}

// Stalled is for how long the process stood still, if that ended less than a second
// ago or has not been noticed yet; else 0. It is for what is not a [Message]: who
// takes a request from elsewhere cannot know since when it waited.
func (e *Engine) Stalled() time.Duration { return e.stalls.recent().length }

// recent is a stall that ended less than a second ago, or has not been noticed yet;
// without one it is zero.
func (s *stalls) recent() standstill {
	now := s.clock()
	if gap := now - time.Duration(s.beat.Load()); gap > s.after {
		return standstill{now, gap}
	}
	if last := s.last.Load(); last != nil && now-last.end < stallNews {
		return *last
	}
	return standstill{}
}
