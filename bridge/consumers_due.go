package bridge

import (
	"cmp"
	"slices"
	"time"

	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// due returns the actors to ask about now, and what the hub does not know any more of others, because
// it had forgotten them meanwhile. It forgets those that the hub does not know.
func (c *consumers) due(actors []snapshot.Liveness) (due []snapshot.Liveness, untold map[string]snapshot.Presence) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for _, a := range actors {
		one := c.known[a.Name]
		if one == nil {
			one = &consumerOf{}
			c.known[a.Name] = one
		}
		one.seen = true
		one.note(a)
		switch {
		case one.due(a, now):
			due = append(due, a)
		case a.Consumer != one.is:
			if untold == nil {
				untold = map[string]snapshot.Presence{}
			}
			untold[a.Name] = one.is
		}
	}
	for name, one := range c.known {
		if !one.seen {
			delete(c.known, name)
		}
		one.seen = false
	}
	slices.SortFunc(due, func(a, b snapshot.Liveness) int {
		return cmp.Or(c.known[a.Name].asked.Compare(c.known[b.Name].asked), cmp.Compare(a.Name, b.Name))
	})
	return due[:min(len(due), asksPerTick)], untold
}

// note takes the actor's last reply into account. One that is heard again after a silence may have been
// restarted.
func (o *consumerOf) note(a snapshot.Liveness) {
	if !o.heard.IsZero() && a.Last.Sub(o.heard) > quiet(a) {
		o.pause = o.firstPause()
	}
	o.heard = a.Last
}

// due reports whether the broker is asked about an actor now.
func (o *consumerOf) due(a snapshot.Liveness, now time.Time) bool {
	since := now.Sub(o.asked)
	switch {
	case o.asked.IsZero():
		return true
	case o.is != snapshot.Present && a.Last.After(o.asked): // it says something: perhaps it is back
		return since >= o.pause
	case since < askPause:
		return false
	case !o.logged:
		return true
	case o.is == snapshot.Present && now.Sub(a.Last) <= quiet(a): // it is there
		return false
	case a.Last.After(o.asked): // it has fallen silent
		return true
	}
	return since >= o.pause
}

// firstPause is how long it is until the next question after the answer has changed. An actor without a
// consumer that says something may have just started.
func (o *consumerOf) firstPause() time.Duration {
	if o.is == snapshot.Present {
		return askPause
	}
	return askTick
}

// quiet is the time after which an actor that says nothing may have died.
func quiet(a snapshot.Liveness) time.Duration { return max(quietFor, quietIntervals*a.Interval) }
