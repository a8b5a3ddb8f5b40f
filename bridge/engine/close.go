package engine

import (
	"net/http"
	"syscall"

	"github.com/gobwas/ws"
)

// beginClose queues a close frame after a partly written frame, and gives the peer time to
// answer it. The connection gets nothing more of its log.
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
	l.wheel.schedule(c, l.wheel.now+l.engine.closeTicks())
	// Frames after a partly written one, or after the upgrade response, are dropped: the
	// close frame must go out before the peer gives up.
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

// flushAll writes all frames queued for an open connection before it closes, as far as its
// socket takes them at once. It returns false if that ended the connection.
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

// tooSlow closes a connection that does not read what it is sent.
func (l *loop) tooSlow(c *conn) {
	if c.state == stateOpen {
		l.engine.slow.Add(1)
	}
	l.beginClose(c, ws.StatusPolicyViolation, reasonTooSlow)
}

// lagged handles a connection whose next frame is no longer in its log.
func (l *loop) lagged(c *conn) {
	if l.engine.cfg.Skip == nil {
		l.tooSlow(c)
		return
	}
	if c.blocked {
		return // Skip is called once it reads again
	}
	l.skip(c)
}

// skip moves a connection to the frames of its log's next pass. It returns false if that
// ended the connection.
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
		l.queueFlush(c) // its log may append nothing for a while
	}
	return ok
}

// markClosed removes a connection from its log and calls the handler's Closed.
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

// flushed is called when everything is written, which ends a connection that is closing.
func (l *loop) flushed(c *conn) {
	if c.finishing {
		l.closeFinished(c) // this flushes the close frame
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
		// The peer must be able to read our last bytes: closing with unread input would
		// reset the connection and discard them (RFC 6455, 7.1.1).
		c.state = stateLinger
		l.wheel.schedule(c, l.wheel.now+ticks(lingerTimeout))
		// An error means that the peer is gone, as the next read will show.
		_ = syscall.Shutdown(socket(c.fd), syscall.SHUT_WR)
	}
}

// drop ends a connection at once.
func (l *loop) drop(c *conn, code ws.StatusCode, reason string) {
	l.markClosed(c, code, reason)
	l.poll.closeSocket(c)
	l.free(c)
}

// free frees everything that a connection holds except its socket.
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
		l.unpark(c.incoming)
		l.engine.limiter.removeIncoming(c.incoming)
		l.recycle(c)
	} else {
		l.engine.limiter.removeAdmitted(c.addrCount)
	}
	l.wheel.remove(c)
	l.conns.release(c)
}

// reject answers a request with an error and closes the connection.
func (l *loop) reject(c *conn, rejectErr *RejectError) {
	l.engine.reportRejection(rejectErr, c.incoming.client)
	if !c.tls.canSend() {
		l.drop(c, 0, "")
		return
	}
	l.respond(c, rejectErr.response())
}

// respond closes a connection after an HTTP response.
func (l *loop) respond(c *conn, response []byte) {
	l.unpark(c.incoming)
	c.state, c.incoming.head = stateRejected, nil
	l.wheel.schedule(c, l.wheel.now+l.engine.closeTicks())
	if response != nil {
		l.send(c, response)
	}
}

// closeAll closes every connection with a close frame or a response, and calls done when
// none is left.
func (l *loop) closeAll(reason string, done func()) {
	l.drained = done
	l.conns.each(func(c *conn) {
		switch c.state {
		case stateOpen:
			if l.flushAll(c) {
				l.beginClose(c, ws.StatusGoingAway, reason)
			}
		case stateHead, stateParked:
			l.reject(c, &RejectError{Status: http.StatusServiceUnavailable, Reason: reason})
		}
	})
}

// stop stops the loop and drops its connections.
func (l *loop) stop() {
	l.conns.each(func(c *conn) { l.drop(c, ws.StatusGoingAway, "the server stopped") })
	l.stopped = true
}

// exit cleans up after a loop. If it was not stopped, the user's code has called
// [runtime.Goexit] in the middle of a turn, whose state cannot be relied on: the sockets
// are closed as they are, and the engine ends.
func (l *loop) exit() {
	if cause := recover(); cause != nil {
		panic(cause) // a bug in the engine must end the program
	}
	if !l.stopped {
		l.engine.log.Error("the engine is stopping: a Handler or a callback called runtime.Goexit, perhaps through FailNow in a test", "loop", l.index)
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
