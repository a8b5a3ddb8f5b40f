package engine

import (
	"golang.org/x/sys/unix"
)

// acceptsInTurn bounds how many connections are accepted before those that are
// there have their turn.
const acceptsInTurn = 64

// acceptor is the listening side of a loop.
type acceptor struct {
	sockets []int
	paused  bool // no file descriptors were left; the next tick tries again
	next    int  // whose turn it is among loops with equally many connections
}

// listen starts accepting from a listening socket.
func (l *loop) listen(fd int) {
	// Accepted sockets inherit it: replies must not wait for one another.
	// It fails on a Unix socket, which never delays.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err := unix.SetNonblock(fd, true); err != nil {
		l.engine.log.Error("cannot listen", "error", err)
		return
	}
	if err := l.poll.addListener(fd); err != nil {
		l.engine.log.Error("cannot listen", "error", err)
		return
	}
	l.accepting.sockets = append(l.accepting.sockets, fd)
}

// unlisten stops accepting.
func (l *loop) unlisten() {
	for _, fd := range l.accepting.sockets {
		l.poll.remove(fd)
	}
	l.accepting = acceptor{}
}

// accept takes waiting connections and hands them to the loops in turn.
func (l *loop) accept(fd int) {
	for range acceptsInTurn {
		client, _, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			l.assign(client)
		case unix.EAGAIN:
			return
		case unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOBUFS:
			l.pauseAccepting(err)
			return
		default:
			// ECONNABORTED and the like: that client is gone, the next may not be.
		}
	}
}

func (l *loop) assign(fd int) {
	loops := l.engine.loops
	to := loops[l.accepting.next%len(loops)]
	l.accepting.next++
	if to == l {
		l.adopt(fd)
		return
	}
	to.mail.post(func() { to.adopt(fd) })
}

// pauseAccepting leaves new clients in the kernel's queue for a while: a
// level-triggered listener that nobody accepts from would spin.
func (l *loop) pauseAccepting(err error) {
	if !l.accepting.paused {
		l.engine.log.Error("cannot accept connections; raise the limit on open files", "error", err)
	}
	l.accepting.paused = true
	for _, fd := range l.accepting.sockets {
		l.poll.remove(fd)
	}
}

func (l *loop) resumeAccepting() {
	if !l.accepting.paused {
		return
	}
	l.accepting.paused = false
	for _, fd := range l.accepting.sockets {
		if err := l.poll.addListener(fd); err != nil {
			l.engine.log.Error("cannot listen", "error", err)
		}
	}
}

// adopt makes an accepted socket a connection of this loop.
func (l *loop) adopt(fd int) {
	if l.drained != nil || l.stopped {
		unix.Close(fd)
		return
	}
	c := l.conns.alloc()
	c.fd, c.state = int32(fd), stateHead
	c.lastIn, c.sent = l.wheel.now, l.wheel.now
	if err := l.poll.addConn(fd, c.slot, c.gen); err != nil {
		l.engine.log.Error("cannot serve a connection", "error", err)
		unix.Close(fd)
		l.conns.release(c)
		return
	}
	l.wheel.schedule(c, l.wheel.now+ticks(l.engine.cfg.HeadTimeout))
}
