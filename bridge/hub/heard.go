package hub

import (
	"sync"
	"time"
)

// heardClock tells when replies were heard. A reply that was sent long before it came here, in a
// stream's past or while the link was down, was heard when its message says that it was sent, so
// that an old value never looks like a new one. So was one that may have waited in a socket while
// the process stood still, as far as that is possible.
//
// For live replies the time never runs backwards. If the machine's clock is set back, it goes on at
// half its speed until the clock has caught up: then an age, which is a difference of two such
// times, is too short by half at most. So everything that clients compare with it is by this clock,
// too: [Hub.Time].
type heardClock struct {
	// mu guards the following fields.
	mu         sync.Mutex
	read, told time.Time // when it was last asked: the machine's clock, and what it said
}

// Time returns the time by the bridge's clock as clients know it: that of hello and pong.
func (h *Hub) Time() time.Time { return h.heard.live(h.now()) }

// Ahead returns how far [Hub.Time] is ahead of the machine's clock, because that was set back.
func (h *Hub) Ahead() time.Duration {
	now := h.now()
	return h.heard.live(now).Sub(now.Round(0))
}

// of returns when a reply was heard that came at a time of the bridge's clock.
func (c *heardClock) of(r *Reply, now time.Time) time.Time {
	if !r.Past {
		now = c.live(now)
		if r.WaitedSince.IsZero() {
			return now
		}
		if r.Sent.Before(r.WaitedSince) || r.Sent.After(now) {
			return r.WaitedSince // its sender's clock is wrong
		}
		return r.Sent
	}
	switch at := r.Sent; {
	case at.IsZero():
		return unknownTime
	case at.After(now.Round(0)):
		return now.Round(0) // its sender's clock is ahead
	default:
		return at
	}
}

// unknownTime is the time of a reply of the past whose message has none: older than any.
var unknownTime = time.Unix(0, 0)

// knownTime returns when a reply was heard; zero if that is not known.
func knownTime(r *Reply) time.Time {
	if r.heard.Equal(unknownTime) {
		return time.Time{}
	}
	return r.heard
}

func (c *heardClock) live(now time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	slow := c.told.Add(max(0, now.Sub(c.read)) / 2)
	c.read, c.told = now, now.Round(0) // without the monotonic reading, which a clock that is set does not follow
	if !slow.Before(c.told) {
		c.told = slow
	}
	return c.told
}
