//go:build unix

package engine

import "time"

// putOff is the time in which a loop reads nothing because too much waits to be brought
// to clients ([Engine.tooMuchToRead]).
type putOff struct {
	on    bool
	since time.Duration // by the clock of stalls
}

// readingPutOff reports whether the loop must not read in this turn. When it may again, input
// that may have waited longer than a stall counts as late.
func (l *loop) readingPutOff() bool {
	switch now := l.engine.tooMuchToRead(); {
	case now && !l.putOff.on:
		l.putOff = putOff{true, l.engine.stalls.clock()}
	case !now && l.putOff.on:
		l.putOff.on = false
		if waited := l.engine.stalls.clock() - l.putOff.since; waited > l.engine.stalls.after {
			l.stood = waited
			for _, e := range l.unread {
				if c := l.lookup(e.slot, e.gen); c != nil {
					c.waited = true
				}
			}
		}
	}
	return l.putOff.on
}
