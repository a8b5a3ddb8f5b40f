package engine

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// readHead collects the request head and acts on it once it is whole. What
// follows it in the same bytes is not lost.
func (l *loop) readHead(c *conn, data []byte) {
	from := 0
	if c.head != nil {
		// The empty line may be cut: search from three bytes before the news.
		from = max(0, len(*c.head)-3)
		*c.head = append(*c.head, data...)
		data = *c.head
	}
	end := headEnd(data, from)
	switch {
	case l.engine.headTooLong(end, len(data)):
		l.reject(c, http.StatusRequestHeaderFieldsTooLarge, longHead)
	case bareLF(data[:cmp.Or(end, len(data))]):
		l.reject(c, http.StatusBadRequest, badLines)
	case end == 0:
		if c.head == nil {
			kept := append(make([]byte, 0, 512), data...)
			c.head = &kept
		}
	case wantsWebSocket(data[:end]):
		c.head = nil
		l.upgrade(c, data[:end], data[end:])
	default:
		l.handOver(c, data)
	}
}

// upgrade answers an upgrade request and opens the connection.
func (l *loop) upgrade(c *conn, head, rest []byte) {
	fd := int(c.fd)
	answer, welcome, ok := l.engine.negotiate(head, func() netip.AddrPort { return peerAddr(fd) })
	if !ok {
		l.rejectWith(c, answer)
		return
	}
	l.open(c, welcome, answer, rest)
}

// peerAddr is the address at the other end of a socket; zero for a Unix socket.
func peerAddr(fd int) netip.AddrPort {
	sa, err := unix.Getpeername(fd)
	if err != nil {
		return netip.AddrPort{}
	}
	return socketAddr(sa)
}

func socketAddr(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// open makes a connection of an accepted request.
func (l *loop) open(c *conn, w Welcome, answer, rest []byte) {
	c.state = stateOpen
	c.session = w.Session
	c.budget = fullBudget(l.engine.cfg.MessageRate, l.wheel.now)
	c.deflate = w.deflate
	if w.Log != nil {
		w.Log.rings[l.index].add(c, w.Log.next())
	}
	l.engine.open.Add(1)
	l.tally.accepted++
	l.wheel.schedule(c, l.nextPing(l.wheel.now+ticks(l.engine.cfg.PingAfter)))
	gen := c.gen
	l.engine.cfg.Handler.Open(l.handle(c), c.session)
	l.send(c, answer)
	if len(rest) > 0 && c.gen == gen && c.state == stateOpen {
		l.consume(c, rest)
	}
}

// handOver lets go of a connection whose request is for net/http.
func (l *loop) handOver(c *conn, read []byte) {
	l.poll.remove(int(c.fd))
	file := os.NewFile(uintptr(c.fd), "client")
	socket, err := net.FileConn(file) // a duplicate; the file is ours to close
	if err != nil {
		l.engine.log.Error("cannot hand a request to the HTTP server", "error", err)
		file.Close()
		l.forget(c)
		return
	}
	if !l.engine.handoff.give(socket, read) {
		// An error means that the client is gone.
		_, _ = socket.Write(busy)
		socket.Close()
	}
	file.Close()
	l.forget(c)
}
