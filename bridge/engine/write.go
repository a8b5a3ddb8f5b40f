package engine

import (
	"slices"
	"syscall"

	"github.com/gobwas/ws"
)

// markDirty schedules a ring for sweeping, unless its frames may wait.
func (l *loop) markDirty(r *ring) {
	if !r.dirty && !r.delayed() {
		r.dirty = true
		l.dirty = append(l.dirty, r)
	}
}

// sweep visits a slice of the followers of each dirty ring, up to a bound over all rings:
// if thousands of clients have their own log, there are thousands of rings. Those left over
// come first in the next turn.
func (l *loop) sweep() {
	l.scratch.unfinished = l.scratch.unfinished[:0]
	done, visits := 0, 0
	for ; done < len(l.dirty) && visits < maxSweepVisits; done++ {
		r := l.dirty[done]
		n, more := l.sweepRing(r)
		if visits += 1 + n; more {
			l.scratch.unfinished = append(l.scratch.unfinished, r)
		} else {
			r.dirty = false
		}
	}
	left := copy(l.dirty, l.dirty[done:])
	clear(l.dirty[left:])
	l.dirty = append(l.dirty[:left], l.scratch.unfinished...)
	clear(l.scratch.unfinished)
}

// sweepRing continues the ring's pass. It returns how many followers it visited and whether
// there is more to do.
func (l *loop) sweepRing(r *ring) (visits int, more bool) {
	if !r.sweeping {
		r.startPass(chunkSize)
	}
	n := 0
	for ; r.pos < len(r.followers); n++ {
		if n == sweepSlice {
			return n, true
		}
		c := r.followers[r.pos]
		r.pos++
		switch {
		case !c.blocked:
			l.flush(c)
		case c.cursor < r.tail:
			l.lagged(c)
		}
		// A connection that flush ended has left the ring.
		if c.ring == r {
			r.minCursor = min(r.minCursor, c.cursor)
		}
	}
	r.pos, r.sweeping = 0, false
	r.release(min(r.minCursor, r.to))
	return n, r.to < r.head && !r.delayed()
}

// flush writes a connection's own frames first, then its log up to the end of the pass.
func (l *loop) flush(c *conn) {
	for writes := 0; !c.blocked; writes++ {
		switch {
		case c.out != nil && (writes >= outboundWritesPerTurn || l.turnBytes >= maxTurnBytes):
			l.queueFlush(c)
			l.countQueued(c)
			return
		case c.out != nil:
			if !l.writeOutbound(c) {
				return
			}
		case c.ring != nil && c.cursor < c.ring.tail:
			l.lagged(c)
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
	l.countQueued(c)
}

// writeLog writes a run of the log. It returns false if that ended the connection.
func (l *loop) writeLog(c *conn) bool {
	run, next := c.ring.run(c.cursor, chunkSize, &l.scratch.joined)
	n, unsent, ok := l.write(c, run)
	if !ok {
		return false
	}
	before := l.counters.delivered
	if n == len(run) {
		l.counters.delivered += next - c.cursor
		c.cursor = next
	} else {
		l.keepPartial(c, n)
	}
	l.keepCiphertext(c, unsent, before)
	return true
}

// keepPartial records that the socket took n bytes of the log from the cursor on. The rest
// of a partly written frame moves to the connection's own queue, so that the log need not
// keep it and nothing can come in between.
func (l *loop) keepPartial(c *conn, n int) {
	for f := c.ring.at(c.cursor); n >= len(f); f = c.ring.at(c.cursor) {
		n -= len(f)
		c.cursor++
		l.counters.delivered++
	}
	if n > 0 {
		f := c.ring.at(c.cursor)
		c.outbound().add(queuedFrame{Frame: f, partial: true})
		c.out.offset = n
		c.cursor++
	}
}

// writeOutbound writes the connection's own frames. It returns false if that ended the
// connection.
func (l *loop) writeOutbound(c *conn) bool {
	o := c.out
	if o.ciphertext != nil {
		return l.writeCiphertext(c)
	}
	buf := []byte(o.frames[0].Frame[o.offset:])
	if len(o.frames) > 1 && len(buf) < chunkSize {
		l.scratch.joined = o.join(l.scratch.joined[:0], chunkSize)
		buf = l.scratch.joined
	}
	buf = buf[:min(len(buf), maxTurnBytes)]
	n, unsent, ok := l.write(c, buf)
	if !ok {
		return false
	}
	l.turnBytes += n
	n += o.offset
	before := l.counters.delivered
	for len(o.frames) > 0 && n >= len(o.frames[0].Frame) {
		n -= len(o.frames[0].Frame)
		if c.upgraded && o.frames[0].isData() {
			l.counters.delivered++
		}
		o.pop(&l.usage)
		c.upgraded = true
	}
	if o.offset = n; len(o.frames) == 0 {
		c.out = nil
	}
	l.keepCiphertext(c, unsent, before)
	return true
}

// write sends bytes to the peer, and returns how many need not be sent again. unsent is
// their ciphertext, if any, that the socket did not take. ok is false if the connection
// broke and was dropped.
func (l *loop) write(c *conn, buf []byte) (n int, unsent []byte, ok bool) {
	if c.tls == nil {
		n, ok = l.writeSocket(c, buf)
	} else {
		n, unsent, ok = l.encrypt(c, buf)
	}
	l.counters.bytes += uint64(n)
	return n, unsent, ok
}

// writeSocket writes to the socket and records when it is full.
func (l *loop) writeSocket(c *conn, buf []byte) (int, bool) {
	for {
		n, err := syscall.Write(socket(c.fd), buf)
		switch err {
		case nil:
			c.lastSent = l.wheel.now
			l.counters.writes++
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

// block skips a connection until its socket is writable.
func (l *loop) block(c *conn) {
	c.blocked = true
	if l.oneShot {
		l.poll.awaitWritable(c.slot)
	}
}

// send queues a frame for this connection only. An open connection is flushed at the end of
// the turn, together with later frames.
func (l *loop) send(c *conn, f Frame) {
	c.outbound().send(f)
	switch {
	case c.state != stateOpen || c.out.directWaiting() >= chunkSize:
		l.flush(c)
		l.checkOutbound(c)
	default:
		l.queueFlush(c)
	}
}

// queueFlush schedules a flush at the end of this turn, or of the next one.
func (l *loop) queueFlush(c *conn) {
	if !c.flushQueued {
		c.flushQueued = true
		l.toFlush = append(l.toFlush, c.ref())
	}
}

// flushQueued flushes the connections in toFlush, up to the bound of a turn.
func (l *loop) flushQueued() {
	list := l.toFlush
	l.toFlush = l.scratch.toFlush[:0]
	for i, e := range list {
		if l.turnBytes >= maxTurnBytes { // the rest comes first in the next turn
			l.toFlush = append(slices.Clone(list[i:]), l.toFlush...)
			for _, e := range list[i:] {
				if c := l.lookup(e); c != nil {
					l.countQueued(c)
				}
			}
			break
		}
		if c := l.lookup(e); c != nil {
			c.flushQueued = false
			l.flush(c)
			l.checkOutbound(c)
		}
	}
	l.scratch.toFlush = list
}

// checkOutbound closes an open connection with too many frames of its own queued.
func (l *loop) checkOutbound(c *conn) {
	if c.state == stateOpen && c.out != nil && c.out.directWaiting() > maxOutbound {
		l.tooSlow(c)
	}
}
