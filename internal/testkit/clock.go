package testkit

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/internal/unordered"
)

// Clock is a clock that moves only when told to. Its zero value shows the beginning of 1970.
type Clock struct {
	mu     sync.Mutex // guards the following fields
	now    time.Duration
	timers []*timer
}

type timer struct {
	at time.Duration
	do func()
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Unix(0, 0).Add(c.now)
}

// After calls do once d has passed, as [time.AfterFunc] does, unless stop is called first. stop reports whether it
// prevented the call.
func (c *Clock) After(d time.Duration, do func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	tm := &timer{c.now + d, do}
	c.timers = append(c.timers, tm)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		before := len(c.timers)
		c.timers = unordered.Remove(c.timers, tm)
		return len(c.timers) < before
	}
}

// Timers returns the number of calls that are yet to be made.
func (c *Clock) Timers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}

// Pass advances the clock by d. Calls that become due are made in order, on the caller's goroutine.
func (c *Clock) Pass(d time.Duration) {
	c.mu.Lock()
	end := c.now + d
	c.mu.Unlock()
	for c.Next(end.Nanoseconds()) {
	}
	c.mu.Lock()
	c.now = max(c.now, end)
	c.mu.Unlock()
}

// Next advances the clock to the first call that is due by a time, in nanoseconds since 1970, and makes that call. It
// reports whether there was one.
func (c *Clock) Next(by int64) bool {
	c.mu.Lock()
	slices.SortStableFunc(c.timers, func(a, b *timer) int { return cmp.Compare(a.at, b.at) })
	if len(c.timers) == 0 || c.timers[0].at > time.Duration(by) {
		c.mu.Unlock()
		return false
	}
	tm := c.timers[0]
	c.timers = c.timers[1:]
	c.now = max(c.now, tm.at)
	c.mu.Unlock()
	tm.do()
	return true
}
