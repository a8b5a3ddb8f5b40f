package engine

// follow is [Conn.Follow] for a connection of this loop. Its mailbox keeps the
// order: when the loop comes to it, the rings have what was appended before the
// call, and nothing else.
func (l *loop) follow(r connRef, log *Log, first []Frame) {
	// Only the loop knows whether the connection follows the twin, and frames
	// that come until then must be there.
	log.wantTwin(1)
	l.mail.post(func() {
		if c := l.lookup(r); c != nil && c.state == stateOpen {
			l.changeLog(c, log, first)
		}
		log.wantTwin(-1)
	})
}

// changeLog brings a connection from one log to another.
func (l *loop) changeLog(c *conn, log *Log, first []Frame) {
	if l.give(c, first, l.lendRest) && log != nil {
		r := &log.of(c.deflate).rings[l.index]
		r.add(c, r.head)
	}
}

// give lends a connection frames behind those of its log that rest lends it. It is
// false when the connection is too slow for that.
func (l *loop) give(c *conn, frames []Frame, rest func(*conn) bool) bool {
	if c.out != nil && c.out.lent > maxLent || c.ring != nil && !rest(c) {
		l.tooSlow(c)
		return false
	}
	for _, f := range frames {
		c.outbound().lend(f)
	}
	l.watchLent(c)
	return true
}

// watchLent has a connection that was lent frames written, and looked after.
func (l *loop) watchLent(c *conn) {
	if c.out == nil || c.out.lent == 0 {
		return
	}
	l.later(c)
	if !c.owing {
		c.owing = true
		l.owing = append(l.owing, debt{c.ref(), c.sent, 0})
	}
}

// lendRest makes what a connection has not had of its log the connection's own,
// and ends its following. It is false when the log no longer has all of that.
func (l *loop) lendRest(c *conn) bool {
	if !l.lendLog(c) {
		return false
	}
	c.ring.remove(c)
	return true
}

// lendLog makes what a connection has not had of its log the connection's own, which
// goes on behind that. It is false when the log no longer has all of that.
func (l *loop) lendLog(c *conn) bool {
	r := c.ring
	if c.cursor < r.tail {
		if l.engine.cfg.Skip == nil || !l.skip(c) {
			return false
		}
	}
	if c.cursor < r.head {
		l.mark(r) // perhaps nobody needs its frames any more
	}
	for ; c.cursor < r.head; c.cursor++ {
		c.outbound().lend(r.at(c.cursor))
	}
	return true
}

// debt watches a connection that was lent frames.
type debt struct {
	connRef
	sent tick // when something was sent to it, as of the last look
	idle tick // looks since then; a loop that stood still itself counts one
}

// checkLent ends the connections that have taken nothing of what they were lent
// for as long as a log would keep it for them. Those frames hold memory, and
// where the connection's new log is silent nothing else would notice.
func (l *loop) checkLent() {
	age := ticks(l.engine.cfg.LogAge)
	keep := l.owing[:0]
	for _, d := range l.owing {
		c := l.lookup(d.connRef)
		if c == nil {
			continue
		}
		if d.idle++; d.sent != c.sent {
			d.sent, d.idle = c.sent, 0
		}
		switch {
		case c.state != stateOpen || c.out == nil || c.out.lent == 0:
			c.owing = false
		case d.idle >= age:
			c.owing = false
			l.tooSlow(c)
		default:
			keep = append(keep, d)
		}
	}
	l.owing = keep
}
