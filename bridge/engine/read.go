package engine

import (
	"syscall"

	"github.com/gobwas/ws"
)

const (
	// readSize is the size of a read from a socket.
	readSize = 64 << 10
	// readsPerTurn bounds the reads from one client in a turn.
	readsPerTurn = 4
	// clientQuantum bounds the work for one client in a turn, in bytes of inflated
	// messages. The message that exceeds the bound is the last one.
	clientQuantum = 256 << 10
	// messageCost is the work of a message apart from its bytes: 64 small ones use up the
	// quantum.
	messageCost = 4 << 10
	// turnQuantum bounds the work in a turn for all clients that used up their quantum in
	// the turn before, and so the delay of other clients.
	turnQuantum = 512 << 10
	// requestsPerTurn is how many upgrades and other requests a turn decides before the rest
	// waits for further turns, as many in each. Each takes tens of microseconds, and after a
	// restart all clients come at the same time.
	requestsPerTurn = 16
	// requestCost is the work of a request, as of so many bytes.
	requestCost = turnQuantum / requestsPerTurn
)

// read reads from the socket, up to the client's quantum. Unless the peer has closed, a
// short read has emptied the socket, and the next bytes are a new event.
func (l *loop) read(c *conn, ended bool) {
	gen := c.gen
	l.quantum = clientQuantum
	if !l.mayRead(c) {
		return
	}
	if c.parser != nil && c.parser.rest.pending() {
		l.parse(c, nil)
	}
	if c.tls.hasRecord() && !c.readQueued {
		l.decrypt(c, nil)
	}
	for range readsPerTurn {
		if c.gen != gen || !l.mayRead(c) {
			return
		}
		buf := l.scratch.input
		if c.tls != nil && !c.tls.done {
			buf = buf[:handshakeReadSize]
		}
		n, err := syscall.Read(socket(c.fd), buf)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			l.socketEmptied(c)
			return
		case err != nil:
			l.drop(c, ws.StatusAbnormalClosure, "the connection broke: "+err.Error())
			return
		case n == 0:
			l.peerEnded(c)
			return
		}
		if c.pinged {
			l.answered(c)
		}
		if c.tls == nil {
			l.consume(c, buf[:n])
		} else {
			l.receiveCiphertext(c, buf[:n])
		}
		if n < len(buf) && !ended {
			if c.gen == gen {
				l.socketEmptied(c)
			}
			return
		}
	}
	if c.gen == gen {
		l.queueRead(c)
	}
}

// mayRead reports whether to read from a connection in this turn. If not, it makes sure
// that reading continues later.
func (l *loop) mayRead(c *conn) bool {
	switch {
	case c.readQueued || c.tls.inputFull():
		return false
	case l.backlogged(c):
		l.pauseReading(c)
		return false
	case l.engine.readsSuspended():
		l.queueRead(c)
		return false
	}
	return true
}

// queueRead continues reading from a connection in the loop's next turn.
func (l *loop) queueRead(c *conn) {
	if !c.readQueued {
		c.readQueued = true
		l.toRead = append(l.toRead, c.ref())
	}
}

// readQueued continues with the clients that used up their quantum, the longest waiting
// first, up to the bound of a turn.
func (l *loop) readQueued() {
	if l.underBackpressure() {
		return
	}
	list := l.toRead
	l.toRead = l.scratch.toRead[:0]
	done, work := 0, 0
	for ; done < len(list) && work < turnQuantum; done++ {
		if c := l.lookup(list[done]); c != nil {
			c.readQueued = false
			l.read(c, true)
			work += clientQuantum - l.quantum
		}
	}
	l.scratch.toRead = list
	if done < len(list) {
		l.toRead = append(list[done:], l.toRead...)
		l.scratch.toRead = nil
	}
}

// peerEnded handles the end of the input, a half-closed TCP connection. A peer that has
// sent a close frame may still read the answers.
func (l *loop) peerEnded(c *conn) {
	c.eof = true
	if c.finishing {
		return
	}
	if s := c.tls; s != nil && s.handshake != nil && s.handshake.answered {
		s.handshake.closeInput() // the end of the handshake may be buffered, with a request after it
		return
	}
	if c.out == nil || c.state == stateOpen || c.state == stateHead || c.state == stateParked {
		l.drop(c, ws.StatusAbnormalClosure, reasonHungUp)
	}
}

// consume handles input according to the connection's state.
func (l *loop) consume(c *conn, data []byte) {
	switch c.state {
	case stateHead:
		l.readHead(c, data)
	case stateParked:
		l.keepEarly(c, data)
	case stateOpen, stateClosing:
		if !c.finishing && !c.closeReceived {
			l.parse(c, data)
		}
	}
}
