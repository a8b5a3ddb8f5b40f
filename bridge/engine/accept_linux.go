package engine

import (
	"golang.org/x/sys/unix"
)

// acceptsInTurn bounds how many connections are accepted before those that are
// there have their turn.
const acceptsInTurn = 64

// listening accepts connections on the first loop and deals them out to all.
// Its fields are the first loop's.
type listening struct {
	loops   []*loop
	sockets []int
	paused  bool // no file descriptors were left; the next tick tries again
	next    int  // whose turn it is
}

func (a *listening) first() *loop { return a.loops[0] }

// listen starts accepting from a listening socket.
func (a *listening) listen(fd int) {
	l := a.first()
	l.mail.post(func() {
		l.accepting = a
		// Accepted sockets inherit it: replies must not wait for one another.
		// It fails on a Unix socket, which never delays.
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		if err := unix.SetNonblock(fd, true); err != nil {
			l.engine.log.Error("cannot listen", "error", err)
			return
		}
		a.sockets = append(a.sockets, fd)
		a.watch(fd)
	})
}

func (a *listening) watch(fd int) {
	if err := a.first().poll.addListener(fd); err != nil {
		a.first().engine.log.Error("cannot listen", "error", err)
	}
}

// unlisten stops accepting, and returns when the sockets may be closed.
func (a *listening) unlisten() {
	done := make(chan struct{})
	a.first().mail.post(func() {
		for _, fd := range a.sockets {
			a.first().poll.remove(fd)
		}
		a.sockets, a.paused = nil, false
		close(done)
	})
	<-done
}

// accept takes waiting connections and hands them to the loops in turn.
func (a *listening) accept(fd int) {
	for range acceptsInTurn {
		client, _, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			a.assign(client)
		case unix.EAGAIN:
			return
		case unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOBUFS:
			a.pause(err)
			return
		default:
			// ECONNABORTED and the like: that client is gone, the next may not be.
		}
	}
}

func (a *listening) assign(fd int) {
	to := a.loops[a.next%len(a.loops)]
	a.next++
	if to == a.first() {
		to.adopt(fd)
		return
	}
	to.mail.post(func() { to.adopt(fd) })
}

// pause leaves new clients in the kernel's queue until the next tick: a
// level-triggered listener that nobody accepts from would spin.
func (a *listening) pause(err error) {
	if !a.paused {
		a.first().engine.log.Error("cannot accept connections; raise the limit on open files", "error", err)
	}
	a.paused = true
	for _, fd := range a.sockets {
		a.first().poll.remove(fd)
	}
}

func (a *listening) resume() {
	if a.paused {
		a.paused = false
		for _, fd := range a.sockets {
			a.watch(fd)
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
