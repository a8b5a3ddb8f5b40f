package demo

import (
	"context"
	"time"
)

// clock is the observatory's time, which may run faster than real time.
type clock struct {
	speed float64
	start time.Time
}

func newClock(speed float64) clock {
	if speed <= 0 {
		speed = 1
	}
	return clock{speed: speed, start: time.Now()}
}

// now returns the observatory's time.
func (c clock) now() time.Time {
	return c.start.Add(time.Duration(float64(time.Since(c.start)) * c.speed))
}

// timer returns a timer of the observatory's time.
func (c clock) timer(d time.Duration) *time.Timer {
	return time.NewTimer(time.Duration(float64(d) / c.speed))
}

// wait waits for a duration of the observatory's time. The error is the context's
// cause if that ends first.
func (c clock) wait(ctx context.Context, d time.Duration) error {
	timer := c.timer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// every calls a function at once and then at intervals of the observatory's time,
// until the context ends.
func (c clock) every(ctx context.Context, d time.Duration, report func()) {
	for {
		report()
		if c.wait(ctx, d) != nil {
			return
		}
	}
}
