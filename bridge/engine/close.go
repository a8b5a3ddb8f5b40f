package engine

import (
	"net/http"
	"syscall"

	"github.com/gobwas/ws"
)

// beginClose sends a close frame behind what is half sent, and gives the peer
// time to answer it. The connection gets nothing more of its log.
func (l *loop) beginClose(c *conn, code ws.StatusCode, reason string) {
	if c.state != stateOpen {
		return
	}
	if c.finishing {
		c.closeReceived = true
		l.forgetFinish(c)
	}
	l.markClosed(c, code, reason)
	c.state = stateClosing
	l.wheel.schedule(c, l.wheel.now+ticks(closeTimeout))
	// What waits behind a frame cut short, or the answer to the request, is not owed any more: the close
	// frame is, and the peer may not have much patience.
	if o := c.out; o != nil {
		keep := 0
		if len(o.frames) > 0 && (o.offset > 0 || !c.upgraded) {
			keep = 1
		}
		if o.truncate(keep, &l.usage); keep == 0 && o.ciphertext == nil {
			c.out = nil
		}
	}
	if c.paused {
		l.resumeReading(c) // for the peer's close frame
	}
	l.send(c, closeFrame(code, reason))
}

// flushAll writes what an open connection was sent before somebody closes it, as far
// as its socket takes it at once. It is false when the connection ended by that.
func (l *loop) flushAll(c *conn) bool {
	if c.state != stateOpen || c.blocked {
		return true
	}
	if c.ring != nil && c.cursor >= c.ring.tail {
		l.leaveLog(c)
	}
	for c.out != nil && !c.blocked {
		if !l.writeOutbound(c) {
			return false
		}
	}
	return true
}

// tooSlow ends a connection that does not read what it is sent.
func (l *loop) tooSlow(c *conn) {
	if c.state == stateOpen {
		l.engine.slow.Add(1)
	}
	l.beginClose(c, ws.StatusPolicyViolation, reasonTooSlow)
}

// lagged deals with a connection whose next frame its log no longer has.
func (l *loop) lagged(c *conn) {
	if l.engine.cfg.Skip == nil {
		l.tooSlow(c)
		return
	}
	if c.blocked {
		return // it is told once it reads again
	}
	l.skip(c)
}

// skip makes a connection go on with what its log's next pass brings. It is false when
// the connection ended by that.
func (l *loop) skip(c *conn) bool {
	missed := c.ring.to - c.cursor
	c.cursor = c.ring.to
	l.engine.skips.Add(1)
	notice, ok := l.engine.callSkip(c.session, missed)
	switch {
	case !ok:
		l.beginClose(c, ws.StatusInternalServerError, reasonInternalError)
	case notice != nil:
		c.outbound().send(notice)
		l.queueFlush(c) // its next log may be silent
	}
	return ok
}

// markClosed ends a connection's time as an open one.
func (l *loop) markClosed(c *conn, code ws.StatusCode, reason string) {
	if c.ring != nil {
		c.ring.remove(c)
	}
	if c.state == stateOpen {
		l.engine.open.Add(-1)
		l.engine.callClosed(l.handle(c), c.session, int(code), reason)
		c.session = nil
	}
}

// flushed is called when everything was written: the end of a connection that
// is ending.
func (l *loop) flushed(c *conn) {
	if c.finishing {
		l.closeFinished(c) // which flushes the close frame
		return
	}
	if c.state == stateRejected || c.state == stateClosing && (c.closeReceived || c.eof) {
		if c.tls != nil && !l.sendCloseNotify(c) {
			return
		}
		if c.eof {
			l.drop(c, ws.StatusNormalClosure, "")
			return
		}
		// The peer must be able to read our last bytes: a close with input
		// unread would be a reset, which discards them (RFC 6455, 7.1.1).
		c.state = stateLinger
		l.wheel.schedule(c, l.wheel.now+ticks(lingerTimeout))
		// An error means that the peer is gone, which the next read will tell.
		_ = syscall.Shutdown(socket(c.fd), syscall.SHUT_WR)
	}
}

// drop ends a connection at once.
func (l *loop) drop(c *conn, code ws.StatusCode, reason string) {
	l.markClosed(c, code, reason)
	l.poll.closeSocket(c)
	l.free(c)
}

// free frees all that a connection holds, save its socket.
func (l *loop) free(c *conn) {
	l.returnParser(c)
	l.freeOutbound(c)
	if c.tls != nil {
		l.freeTLS(c)
	}
	if c.paused {
		l.endPause(c)
	}
	if c.finishing {
		l.forgetFinish(c)
	}
	if c.incoming != nil {
		l.engine.limiter.removeIncoming(c.incoming)
		l.recycle(c)
	} else {
		l.engine.limiter.removeAdmitted(c.addrCount)
	}
	l.wheel.remove(c)
	l.conns.release(c)
}

// reject answers an HTTP request with a status and a reason, and closes the connection.
func (l *loop) reject(c *conn, rejectErr *RejectError) {
	l.engine.reportRejection(rejectErr, c.incoming.client)
	if !c.tls.canSend() {
		l.drop(c, 0, "")
		return
	}
	l.respond(c, rejectErr.response())
}

// respond ends a connection behind an answer to its request.
func (l *loop) respond(c *conn, answer []byte) {
	c.state, c.incoming.head = stateRejected, nil
	l.wheel.schedule(c, l.wheel.now+ticks(closeTimeout))
	if answer != nil {
		l.send(c, answer)
	}
}

// closeAll ends every connection politely, and calls done when none is left.
func (l *loop) closeAll(reason string, done func()) {
	l.drained = done
	l.conns.each(func(c *conn) {
		switch c.state {
		case stateOpen:
			if l.flushAll(c) {
				l.beginClose(c, ws.StatusGoingAway, reason)
			}
		case stateHead:
			l.reject(c, &RejectError{Status: http.StatusServiceUnavailable, Reason: reason})
		}
	})
}

// stop stops the loop with whatever it has left.
func (l *loop) stop() {
	l.conns.each(func(c *conn) { l.drop(c, ws.StatusGoingAway, "the server stopped") })
	l.stopped = true
}

// exit is the last that a loop does. If it was not stopped, what the engine's user gave
// has called [runtime.Goexit] in the middle of a turn, so that nothing that the turn was
// about can be relied on: the sockets are closed as they are, and the engine ends.
func (l *loop) exit() {
	if cause := recover(); cause != nil {
		panic(cause) // the engine's own fault: the program ends by it
	}
	if !l.stopped {
		l.engine.log.Error("the engine ends: a Handler or a callback called runtime.Goexit, perhaps by a test's FailNow", "loop", l.index)
		l.conns.each(l.poll.closeSocket)
		l.engine.goroutines.Go(l.engine.abort)
	}
	l.mail.close()
	l.poll.close()
	close(l.ended)
}

// freeOutbound discards the connection's own queue.
func (l *loop) freeOutbound(c *conn) {
	if c.out != nil {
		c.out.discard(&l.usage)
		c.out = nil
	}
}
