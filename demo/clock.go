package demo

import (
	"context"
	"time"
)

// clock is the observatory's time, which may run faster than ours.
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

// now is the observatory's time.
func (c clock) now() time.Time {
	return c.start.Add(time.Duration(float64(time.Since(c.start)) * c.speed))
}

// timer fires when so much of the observatory's time has passed.
func (c clock) timer(d time.Duration) *time.Timer {
	return time.NewTimer(time.Duration(float64(d) / c.speed))
}

// wait lets so much of the observatory's time pass. The error is why the
// context ended before.
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

// every calls tell at once and then each d of the observatory's time, until the
// context ends.
func (c clock) every(ctx context.Context, d time.Duration, tell func()) {
	for {
		tell()
		if c.wait(ctx, d) != nil {
			return
		}
	}
}
