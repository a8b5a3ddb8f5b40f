package engine

import (
	"syscall"

	"github.com/gobwas/ws"
)

const (
	// readSize is how much is read from a socket at once.
	readSize = 64 << 10
	// readsInTurn bounds the reads from one client in a turn.
	readsInTurn = 4
	// clientWork bounds the work for one client in a turn, in bytes of decompressed
	// messages. The message that passes the bound is the last.
	clientWork = 256 << 10
	// messageWork is what every message counts in addition to its bytes: 64 small ones
	// are a turn.
	messageWork = 4 << 10
	// backlogWork likewise bounds the work in a turn for clients that exceeded their
	// share in the turn before: other clients wait no longer than that.
	backlogWork = 512 << 10
)

// read reads from the socket, up to the client's share of a turn. Unless the peer has
// closed, a short read has emptied the socket, and the next bytes are a new event.
func (l *loop) read(c *conn, ended bool) {
	gen := c.gen
	l.work = clientWork
	if !l.mayRead(c) {
		return
	}
	if c.in != nil && c.in.rest.pending() {
		l.parse(c, nil)
	}
	if c.tls.more() && !c.toRead {
		l.decrypt(c, nil)
	}
	for range readsInTurn {
		if c.gen != gen || !l.mayRead(c) {
			return
		}
		buf := l.buf
		if c.tls != nil && !c.tls.done {
			buf = buf[:readShaking]
		}
		n, err := syscall.Read(socket(c.fd), buf)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			l.emptied(c)
			return
		case err != nil:
			l.drop(c, ws.StatusAbnormalClosure, "the connection broke: "+err.Error())
			return
		case n == 0:
			l.peerEnded(c)
			return
		}
		c.pinged = false
		if c.tls == nil {
			l.consume(c, buf[:n])
		} else {
			l.receive(c, buf[:n])
		}
		if n < len(buf) && !ended {
			if c.gen == gen {
				l.emptied(c)
			}
			return
		}
	}
	if c.gen == gen {
		l.readLater(c)
	}
}

// mayRead reports whether more is read from a connection in this turn. If not, it is seen
// to that reading goes on.
func (l *loop) mayRead(c *conn) bool {
	switch {
	case c.toRead || c.tls.full():
		return false
	case l.backlogged(c):
		l.pauseReading(c)
		return false
	case l.engine.tooMuchToRead():
		l.readLater(c)
		return false
	}
	return true
}

// readLater continues a connection in the loop's next turn.
func (l *loop) readLater(c *conn) {
	if !c.toRead {
		c.toRead = true
		l.unread = append(l.unread, c.ref())
	}
}

// readOn continues the clients that exceeded their share, the one that has waited
// longest first, up to the bound of a turn.
func (l *loop) readOn() {
	if l.readingPutOff() {
		return
	}
	list := l.unread
	l.unread = l.unreadSpare[:0]
	done, work := 0, 0
	for ; done < len(list) && work < backlogWork; done++ {
		if c := l.lookup(list[done]); c != nil {
			c.toRead = false
			l.read(c, true)
			work += clientWork - l.work
		}
	}
	l.unreadSpare = list
	if done < len(list) {
		l.unread = append(list[done:], l.unread...)
		l.unreadSpare = nil
	}
}

// peerEnded handles the end of the peer's bytes, a half-closed TCP connection. A peer
// that has sent a close frame may still read the answers.
func (l *loop) peerEnded(c *conn) {
	c.eof = true
	if c.ending {
		return
	}
	if s := c.tls; s != nil && s.shake != nil && s.shake.answered {
		s.shake.end() // the last of the handshake may be there, and a request behind it
		return
	}
	if c.out == nil || c.state == stateOpen || c.state == stateHead {
		l.drop(c, ws.StatusAbnormalClosure, hungUp)
	}
}

// consume handles bytes according to the connection's state.
func (l *loop) consume(c *conn, data []byte) {
	switch c.state {
	case stateHead:
		l.readHead(c, data)
	case stateOpen, stateClosing:
		if !c.ending && !c.byPeer {
			l.parse(c, data)
		}
	}
}
