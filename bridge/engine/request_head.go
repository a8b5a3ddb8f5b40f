package engine

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/gobwas/ws"
)

// readHead collects the request head and acts on it once it is whole. What
// follows it in the same bytes is not lost.
func (l *loop) readHead(c *conn, data []byte) {
	in := c.head
	if in.started() {
		in.head = append(in.head, data...)
		data = in.head
	}
	r := &l.request
	r.secure = nil
	if c.tls != nil {
		r.secure = c.tls.conn
	}
	rest, whole, no := l.engine.examine(in, r, data)
	switch {
	case no != nil:
		l.refuse(c, no)
		return
	case !whole:
		if !in.started() {
			in.head = append(make([]byte, 0, 512), data...)
		}
		return
	}
	answer, welcome, no := l.engine.receive(in, r)
	switch {
	case no != nil:
		l.refuse(c, no)
	case answer == nil:
		l.handOver(c, r, rest)
	default:
		l.open(c, welcome, answer, rest)
	}
}

// socketAddr returns the address of a socket's peer; the zero value for a Unix socket.
func socketAddr(sa syscall.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *syscall.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// open makes a connection of an accepted request.
func (l *loop) open(c *conn, w Welcome, answer, rest []byte) {
	c.from = c.head.count // its place is permanent, so nothing else changes this
	l.recycle(c)
	c.state = stateOpen
	c.session = w.Session
	c.budget = fullBudget(l.engine.cfg.MessageRate, l.wheel.now)
	c.deflate = w.deflate
	if log := w.Log.of(w.deflate); log != nil {
		log.rings[l.index].add(c, log.next())
	}
	l.engine.open.Add(1)
	l.tally.accepted++
	l.wheel.schedule(c, l.nextPing(l.wheel.now+ticks(l.engine.cfg.PingAfter)))
	gen := c.gen
	ok := l.engine.opened(l.handle(c), c.session)
	l.send(c, answer)
	if !ok {
		l.beginClose(c, ws.StatusInternalServerError, failed)
	}
	if len(rest) > 0 && c.gen == gen && c.state == stateOpen {
		l.consume(c, rest)
	}
}

// handOver lets go of a connection whose request is for net/http.
func (l *loop) handOver(c *conn, r *Request, rest []byte) {
	if !l.engine.handoff.take(r) {
		l.reject(c, busy) // as the loop answers: over TLS the socket may be full
		return
	}
	file := l.poll.release(c)
	defer l.forget(c)
	defer file.Close()
	socket, err := net.FileConn(file) // a duplicate; the file is ours to close
	if err != nil {
		l.engine.log.Error("cannot hand a request to the HTTP server", "error", err)
		l.engine.handoff.leave()
		return
	}
	if c.tls != nil {
		socket = c.tls.handOver(socket, c.out)
	}
	l.engine.handoff.give(socket, r, rest)
}
