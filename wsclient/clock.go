package wsclient

import "time"

// clockTolerance is by how much two clocks may differ and count as equal.
const clockTolerance = 2 * time.Second

// clock estimates the bridge's clock. The bridge's time arrives late by the message's travel time, so the estimate is
// behind the bridge's clock rather than ahead of it, and a command expires early rather than late.
type clock struct {
	bridge time.Time // the bridge's time at the moment local; zero if it is not known
	local  time.Time
}

// set starts from the time in a hello.
func (c *clock) set(bridge time.Time) { c.bridge, c.local = bridge, time.Now() }

// known reports whether the bridge's time is known.
func (c *clock) known() bool { return !c.bridge.IsZero() }

// now returns the bridge's time, or a moment earlier; without a bridge, the local time.
func (c *clock) now() time.Time {
	if !c.known() {
		return time.Now()
	}
	return c.bridge.Add(time.Since(c.local))
}

// latest returns the latest that the bridge's time may be: the monotonic clock stands while the computer sleeps, the other
// one goes on. Ages must not be too short.
func (c *clock) latest() time.Time {
	now := c.now()
	if !c.known() {
		return now
	}
	slept := time.Now().Round(0).Sub(c.local.Round(0)) - time.Since(c.local)
	if slept > clockTolerance {
		return now.Add(slept)
	}
	return now
}

// observe takes note of a time at which the bridge has done something: it is not before that now.
func (c *clock) observe(t time.Time) {
	if c.known() && t.After(c.now()) {
		c.set(t)
	}
}

// answered takes note of the bridge's answer to a question that was sent at the local time asked.
func (c *clock) answered(t, asked time.Time) {
	c.observe(t)
	if latest := t.Add(time.Since(asked)); c.known() && c.now().After(latest) {
		c.set(latest)
	}
}
