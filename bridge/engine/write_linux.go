package engine

import (
	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"
)

// mark puts a ring on the list of those to sweep.
func (l *loop) mark(r *ring) {
	if !r.dirty {
		r.dirty = true
		l.dirty = append(l.dirty, r)
	}
}

// sweep visits a slice of the members of each ring that has news.
func (l *loop) sweep() {
	keep := l.dirty[:0]
	for _, r := range l.dirty {
		if l.sweepRing(r) {
			keep = append(keep, r)
		} else {
			r.dirty = false
		}
	}
	clear(l.dirty[len(keep):])
	l.dirty = keep
}

// sweepRing goes on with the ring's pass, and tells whether there is more to do.
func (l *loop) sweepRing(r *ring) bool {
	if r.pos == 0 {
		r.startPass(chunk)
	}
	for n := 0; r.pos < len(r.members); n++ {
		if n == sweepSlice {
			return true
		}
		c := r.members[r.pos]
		r.pos++
		switch {
		case !c.blocked:
			l.flush(c)
		case c.cursor < r.tail:
			l.tooSlow(c)
		}
		// A connection that flush ended has left the ring.
		if c.ring == r {
			r.slowest = min(r.slowest, c.cursor)
		}
	}
	r.pos = 0
	r.release(min(r.slowest, r.to))
	return r.to < r.head
}

// flush writes what a connection has coming: first what is its own, then its
// log up to where the pass goes.
func (l *loop) flush(c *conn) {
	for !c.blocked {
		switch {
		case c.out != nil:
			if !l.writeOwn(c) {
				return
			}
		case c.ring != nil && c.cursor < c.ring.tail:
			l.tooSlow(c)
			return
		case c.ring != nil && c.cursor < c.ring.to:
			if !l.writeLog(c) {
				return
			}
		default:
			l.flushed(c)
			return
		}
	}
}

// writeLog writes one run of the log. It is false when the connection ended.
func (l *loop) writeLog(c *conn) bool {
	run, next := c.ring.run(c.cursor, chunk, &l.scratch)
	n, ok := l.write(c, run)
	switch {
	case !ok:
		return false
	case n == len(run):
		c.cursor = next
	default:
		l.cut(c, n)
	}
	return true
}

// cut notes that the socket took n bytes of the log from the cursor on. The
// rest of a frame cut short becomes the connection's own, so that the log need
// not keep it and nothing can come in between.
func (l *loop) cut(c *conn, n int) {
	for f := c.ring.at(c.cursor); n >= len(f); f = c.ring.at(c.cursor) {
		n -= len(f)
		c.cursor++
	}
	if n > 0 {
		f := c.ring.at(c.cursor)
		c.out = &outbound{frames: []Frame{f}, sent: n, bytes: len(f)}
		c.cursor++
	}
}

// writeOwn writes the connection's own frames. It is false when it ended.
func (l *loop) writeOwn(c *conn) bool {
	o := c.out
	buf := []byte(o.frames[0][o.sent:])
	if len(o.frames) > 1 {
		l.scratch = append(l.scratch[:0], buf...)
		for _, f := range o.frames[1:] {
			if len(l.scratch) >= chunk {
				break
			}
			l.scratch = append(l.scratch, f...)
		}
		buf = l.scratch
	}
	n, ok := l.write(c, buf)
	if !ok {
		return false
	}
	n += o.sent
	done := 0
	for done < len(o.frames) && n >= len(o.frames[done]) {
		n -= len(o.frames[done])
		o.bytes -= len(o.frames[done])
		done++
	}
	o.frames, o.sent = o.frames[done:], n
	if len(o.frames) == 0 {
		c.out = nil
	}
	return true
}

// write gives bytes to the socket and notes when it is full. It is false when
// the connection broke, and then it is gone.
func (l *loop) write(c *conn, buf []byte) (int, bool) {
	for {
		n, err := unix.Write(int(c.fd), buf)
		switch err {
		case nil:
			c.sent = l.wheel.now
			// A short write means a full socket, as EAGAIN does.
			c.blocked = n < len(buf)
			return n, true
		case unix.EINTR:
		case unix.EAGAIN:
			c.blocked = true
			return 0, true
		default:
			l.drop(c, ws.StatusAbnormalClosure, "the connection broke: "+err.Error())
			return 0, false
		}
	}
}

// send queues a frame of the connection's own and writes what the socket takes.
func (l *loop) send(c *conn, f Frame) {
	if c.out == nil {
		c.out = &outbound{}
	}
	c.out.frames = append(c.out.frames, f)
	c.out.bytes += len(f)
	if c.out.bytes > maxOutbound && c.state == stateOpen {
		l.tooSlow(c)
		return
	}
	l.flush(c)
}
