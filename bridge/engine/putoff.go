//go:build unix

package engine

import "time"

// putOff is the time in which a loop reads nothing because too much waits to be brought
// to clients ([Engine.tooMuchToRead]).
type putOff struct {
	on    bool
	since time.Duration // by the clock of stalls
	spare tick          // up to which what waited then may not be read yet
}

// putOffReads is how long the loop may take to read what waited meanwhile.
const putOffReads = second

// readingPutOff reports whether the loop must not read in this turn. When it may again, input
// that may have waited longer than a stall counts as late.
func (l *loop) readingPutOff() bool {
	switch now := l.engine.tooMuchToRead(); {
	case now && !l.putOff.on:
		l.putOff = putOff{on: true, since: l.engine.stalls.clock()}
	case !now && l.putOff.on:
		l.putOff.on = false
		l.putOff.spare = l.wheel.now + ticks(putOffReads)
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

// putOffInput reports whether a connection has sent what the loop has not read only because
// it put that off: then its deadline says nothing about it.
func (l *loop) putOffInput(c *conn) bool {
	return c.toRead && (l.putOff.on || l.wheel.now.before(l.putOff.spare))
}
