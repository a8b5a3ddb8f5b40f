package engine

// follow is [Conn.Follow] for a connection of this loop. Its mailbox keeps the
// order: when the loop comes to it, the rings have what was appended before the
// call, and nothing else.
func (l *loop) follow(r connRef, log *Log, first []Frame) {
	// Only the loop knows whether the connection follows the twin, and frames
	// that come until then must be there.
	log.reserveDeflated(1)
	l.mail.post(func() {
		if c := l.lookup(r); c != nil && c.state == stateOpen {
			l.changeLog(c, log, first)
		}
		log.reserveDeflated(-1)
	})
}

// changeLog brings a connection from one log to another.
func (l *loop) changeLog(c *conn, log *Log, first []Frame) {
	if l.queueFrames(c, first, l.leaveLog) && log != nil {
		r := &log.forEncoding(c.deflate).rings[l.index]
		r.add(c, r.head)
	}
}

// queueFrames lends a connection frames behind those of its log that rest lends it. It is
// false when the connection is too slow for that.
func (l *loop) queueFrames(c *conn, frames []Frame, rest func(*conn) bool) bool {
	if c.out != nil && c.out.sharedBytes > maxShared || c.ring != nil && !rest(c) {
		l.tooSlow(c)
		return false
	}
	for _, f := range frames {
		c.outbound().queueShared(f)
	}
	l.watchSlow(c)
	return true
}

// watchSlow has a connection that was lent frames written, and looked after.
func (l *loop) watchSlow(c *conn) {
	if c.out == nil || c.out.sharedBytes == 0 {
		return
	}
	l.queueFlush(c)
	if !c.slowWatched {
		c.slowWatched = true
		l.slowWatches = append(l.slowWatches, slowWatch{c.ref(), c.lastSent, 0})
	}
}

// leaveLog makes what a connection has not had of its log the connection's own,
// and ends its following. It is false when the log no longer has all of that.
func (l *loop) leaveLog(c *conn) bool {
	if !l.queueLog(c) {
		return false
	}
	c.ring.remove(c)
	return true
}

// queueLog makes what a connection has not had of its log the connection's own, which
// goes on behind that. It is false when the log no longer has all of that.
func (l *loop) queueLog(c *conn) bool {
	r := c.ring
	if c.cursor < r.tail {
		if l.engine.cfg.Skip == nil || !l.skip(c) {
			return false
		}
	}
	if c.cursor < r.head {
		l.markDirty(r) // perhaps nobody needs its frames any more
	}
	for ; c.cursor < r.head; c.cursor++ {
		c.outbound().queueShared(r.at(c.cursor))
	}
	return true
}

// slowWatch watches a connection that was lent frames.
type slowWatch struct {
	connRef
	lastSent  tick // when something was sent to it, as of the last look
	idleTicks tick // looks since then; a loop that stood still itself counts one
}

// checkSlow ends the connections that have taken nothing of what they were lent
// for as long as a log would keep it for them. Those frames hold memory, and
// where the connection's new log is silent nothing else would notice.
func (l *loop) checkSlow() {
	age := ticks(l.engine.cfg.LogAge)
	keep := l.slowWatches[:0]
	for _, d := range l.slowWatches {
		c := l.lookup(d.connRef)
		if c == nil {
			continue
		}
		if d.idleTicks++; d.lastSent != c.lastSent {
			d.lastSent, d.idleTicks = c.lastSent, 0
		}
		switch {
		case c.state != stateOpen || c.out == nil || c.out.sharedBytes == 0:
			c.slowWatched = false
		case d.idleTicks >= age:
			c.slowWatched = false
			l.tooSlow(c)
		default:
			keep = append(keep, d)
		}
	}
	l.slowWatches = keep
}
