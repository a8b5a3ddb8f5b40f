package engine

import (
	"slices"
	"syscall"

	"github.com/gobwas/ws"
)

// mark puts a ring on the list of those to sweep, unless what it has may wait.
func (l *loop) mark(r *ring) {
	if !r.dirty && !r.held() {
		r.dirty = true
		l.dirty = append(l.dirty, r)
	}
}

// sweep visits a slice of the members of each ring that has news, and no more than so
// many in all: where thousands of clients have a log of their own, there are thousands
// of rings. Those that have waited come first in the next turn.
func (l *loop) sweep() {
	l.again = l.again[:0]
	done, visits := 0, 0
	for ; done < len(l.dirty) && visits < sweepVisits; done++ {
		r := l.dirty[done]
		n, more := l.sweepRing(r)
		if visits += 1 + n; more {
			l.again = append(l.again, r)
		} else {
			r.dirty = false
		}
	}
	left := copy(l.dirty, l.dirty[done:])
	clear(l.dirty[left:])
	l.dirty = append(l.dirty[:left], l.again...)
	clear(l.again)
}

// sweepRing goes on with the ring's pass, and returns how many members it visited and
// whether there is more to do.
func (l *loop) sweepRing(r *ring) (visits int, more bool) {
	if !r.sweeping {
		r.startPass(chunk)
	}
	n := 0
	for ; r.pos < len(r.members); n++ {
		if n == sweepSlice {
			return n, true
		}
		c := r.members[r.pos]
		r.pos++
		switch {
		case !c.blocked:
			l.flush(c)
		case c.cursor < r.tail:
			l.fellOff(c)
		}
		// A connection that flush ended has left the ring.
		if c.ring == r {
			r.slowest = min(r.slowest, c.cursor)
		}
	}
	r.pos, r.sweeping = 0, false
	r.release(min(r.slowest, r.to))
	return n, r.to < r.head && !r.held()
}

// flush writes what a connection has coming: first what is its own, then its
// log up to where the pass goes.
func (l *loop) flush(c *conn) {
	for writes := 0; !c.blocked; writes++ {
		switch {
		case c.out != nil && (writes >= ownInTurn || l.spent >= turnBytes):
			l.later(c)
			l.owe(c)
			return
		case c.out != nil:
			if !l.writeOwn(c) {
				return
			}
		case c.ring != nil && c.cursor < c.ring.tail:
			l.fellOff(c)
		case c.ring != nil && c.cursor < c.ring.to:
			if !l.writeLog(c) {
				return
			}
		default:
			l.flushed(c)
			return
		}
		if c.paused && !l.backlogged(c) {
			l.resumeReading(c)
		}
	}
	l.owe(c)
}

// writeLog writes one run of the log. It is false when the connection ended.
func (l *loop) writeLog(c *conn) bool {
	run, next := c.ring.run(c.cursor, chunk, &l.scratch)
	n, ok := l.write(c, run)
	if !ok {
		return false
	}
	before := l.tally.delivered
	if n == len(run) {
		l.tally.delivered += next - c.cursor
		c.cursor = next
	} else {
		l.cut(c, n)
	}
	l.keepSealed(c, before)
	return true
}

// cut notes that the socket took n bytes of the log from the cursor on. The
// rest of a frame cut short becomes the connection's own, so that the log need
// not keep it and nothing can come in between.
func (l *loop) cut(c *conn, n int) {
	for f := c.ring.at(c.cursor); n >= len(f); f = c.ring.at(c.cursor) {
		n -= len(f)
		c.cursor++
		l.tally.delivered++
	}
	if n > 0 {
		f := c.ring.at(c.cursor)
		c.outbound().add(owed{Frame: f, cut: true})
		c.out.sent = n
		c.cursor++
	}
}

// writeOwn writes the connection's own frames. It is false when it ended.
func (l *loop) writeOwn(c *conn) bool {
	o := c.out
	if o.sealed != nil {
		return l.writeSealed(c)
	}
	buf := []byte(o.frames[0].Frame[o.sent:])
	if len(o.frames) > 1 && len(buf) < chunk {
		l.scratch = o.join(l.scratch[:0], chunk)
		buf = l.scratch
	}
	buf = buf[:min(len(buf), turnBytes)]
	n, ok := l.write(c, buf)
	if !ok {
		return false
	}
	l.spent += n
	n += o.sent
	before := l.tally.delivered
	for len(o.frames) > 0 && n >= len(o.frames[0].Frame) {
		n -= len(o.frames[0].Frame)
		if c.answered && o.frames[0].isData() {
			l.tally.delivered++
		}
		o.next(&l.ledger)
		c.answered = true
	}
	if o.sent = n; len(o.frames) == 0 {
		c.out = nil
	}
	l.keepSealed(c, before)
	return true
}

// write sends bytes to the peer, and returns how many need not be sent again. It is
// false when the connection broke, and then it is gone.
func (l *loop) write(c *conn, buf []byte) (n int, ok bool) {
	l.unsent = nil
	if c.tls == nil {
		n, ok = l.writeSocket(c, buf)
	} else {
		n, ok = l.seal(c, buf)
	}
	l.tally.bytes += uint64(n)
	return n, ok
}

// writeSocket gives bytes to the socket and notes when it is full.
func (l *loop) writeSocket(c *conn, buf []byte) (int, bool) {
	for {
		n, err := syscall.Write(socket(c.fd), buf)
		switch err {
		case nil:
			c.sent = l.wheel.now
			l.tally.writes++
			// A short write means a full socket, as EAGAIN does.
			if n < len(buf) {
				l.block(c)
			}
			return n, true
		case syscall.EINTR:
		case syscall.EAGAIN:
			l.block(c)
			return 0, true
		default:
			l.drop(c, ws.StatusAbnormalClosure, "the connection broke: "+err.Error())
			return 0, false
		}
	}
}

// block leaves a connection alone until its socket has room.
func (l *loop) block(c *conn) {
	c.blocked = true
	if l.oneShot {
		l.poll.awaitRoom(c.slot)
	}
}

// send queues a frame of the connection's own. An open connection is flushed at
// the end of the turn, with whatever else it is sent until then.
func (l *loop) send(c *conn, f Frame) {
	c.outbound().send(f)
	switch {
	case c.state != stateOpen || c.out.waiting() >= chunk:
		l.flush(c)
		l.checkOwn(c)
	default:
		l.later(c)
	}
}

// later has a connection flushed at the end of the turn, or of the next one.
func (l *loop) later(c *conn) {
	if !c.late {
		c.late = true
		l.late = append(l.late, c.ref())
	}
}

// flushLate writes what connections were sent in this turn, and goes on with
// those that had more to write than their share.
func (l *loop) flushLate() {
	list := l.late
	l.late = l.lateSpare[:0]
	for i, e := range list {
		if l.spent >= turnBytes { // the others come first in the next turn
			l.late = append(slices.Clone(list[i:]), l.late...)
			for _, e := range list[i:] {
				if c := l.lookup(e); c != nil {
					l.owe(c)
				}
			}
			break
		}
		if c := l.lookup(e); c != nil {
			c.late = false
			l.flush(c)
			l.checkOwn(c)
		}
	}
	l.lateSpare = list
}

// checkOwn ends an open connection for which too much of its own waits.
func (l *loop) checkOwn(c *conn) {
	if c.state == stateOpen && c.out != nil && c.out.waiting() > maxOutbound {
		l.tooSlow(c)
	}
}
