package engine

// follow implements [Conn.Follow]. The mailbox preserves the order: when the loop runs
// this, the rings hold exactly the frames appended before the call.
func (l *loop) follow(r connRef, log *Log, first []Frame) {
	// Only the loop knows whether the connection needs compressed frames, and those
	// appended until then must exist.
	log.reserveDeflated(1)
	l.mail.post(func() {
		if c := l.lookup(r); c != nil && c.state == stateOpen {
			l.changeLog(c, log, first)
		}
		log.reserveDeflated(-1)
	})
}

// changeLog moves a connection from one log to another.
func (l *loop) changeLog(c *conn, log *Log, first []Frame) {
	if l.queueFrames(c, first, l.leaveLog) && log != nil {
		r := &log.forEncoding(c.deflate).rings[l.index]
		r.add(c, r.head)
	}
}

// queueFrames queues frames after those that the connection still needs of its log, which
// rest queues. It returns false if the connection is too slow for that.
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

// watchSlow schedules a write of the shared frames, and starts watching the connection.
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

// leaveLog queues the frames that a connection still needs of its log, and ends its
// following. It returns false if the log no longer has all of them.
func (l *loop) leaveLog(c *conn) bool {
	if !l.queueLog(c) {
		return false
	}
	c.ring.remove(c)
	return true
}

// queueLog queues the frames that a connection still needs of its log, which it keeps
// following. It returns false if the log no longer has all of them.
func (l *loop) queueLog(c *conn) bool {
	r := c.ring
	if c.cursor < r.tail {
		if l.engine.cfg.Skip == nil || !l.skip(c) {
			return false
		}
	}
	if c.cursor < r.head {
		l.markDirty(r) // perhaps no follower needs its frames any more
	}
	for ; c.cursor < r.head; c.cursor++ {
		c.outbound().queueShared(r.at(c.cursor))
	}
	return true
}

// slowWatch watches a connection with shared frames in its queue.
type slowWatch struct {
	connRef
	lastSent  tick // when something was last sent to it, as of the last check
	idleTicks tick // checks since then; after a pause of the loop that is one
}

// checkSlow closes the connections that have read none of their shared frames for as long
// as a log would keep them. Those frames occupy memory, and if the connection's new log is
// silent nothing else would notice.
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
