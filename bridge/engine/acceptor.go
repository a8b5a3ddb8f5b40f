package engine

import (
	"maps"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

const (
	// unackedTimeout is how long sent data may stay unacknowledged.
	unackedTimeout = time.Minute
	// maxUnsent is how many unsent bytes the kernel keeps for one client, in addition to
	// those in flight. Without it they grow to the send buffer's 4 MiB.
	maxUnsent = 256 << 10
)

// acceptsPerTurn bounds the connections accepted before existing ones are served.
const acceptsPerTurn = 64

// acceptor accepts connections on the first loop, which owns its fields, and distributes
// them to all loops.
type acceptor struct {
	loops     []*loop
	sockets   map[int]*ListenOptions
	unwatched []int // sockets that the poller does not watch; the next tick tries again
	paused    bool  // no socket is watched: no file descriptors were left
	logged    bool  // the error is in the log, and no connection was accepted since
	next      int   // the loop that gets the next connection

	late      bool // connections may have arrived during a pause
	noInherit bool // accepted sockets do not inherit the listener's options
}

// setOptions sets the options of a client's socket, or those of a listener for its clients
// to inherit. All of them fail on a Unix socket, which needs none.
func setOptions(fd int) {
	// Replies must not wait for one another.
	_ = syscall.SetsockoptInt(socket(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	// A peer that has vanished is detected sooner than after the kernel's quarter of an
	// hour, and the data kept for one that does not read is bounded.
	limitUnsent(fd)
}

func (a *acceptor) loop() *loop { return a.loops[0] }

// listen starts accepting from a listening socket.
func (a *acceptor) listen(fd int, options *ListenOptions) error {
	if err := syscall.SetNonblock(socket(fd), true); err != nil {
		return err
	}
	inherited := inheritsOptions(fd)
	if inherited {
		setOptions(fd)
	}
	l := a.loop()
	l.mail.post(func() {
		l.acceptor = a
		a.noInherit = a.noInherit || !inherited
		a.sockets[fd] = options
		a.watch(fd)
	})
	return nil
}

// watch adds a socket to the poller. If that fails, the next tick tries again: without a
// free file descriptor the portable poller cannot duplicate the socket.
func (a *acceptor) watch(fd int) {
	if !a.paused {
		err := a.loop().poll.listen(fd)
		if err == nil {
			return
		}
		a.logError(err)
	}
	a.unwatched = append(a.unwatched, fd)
}

// logError logs why connections have to wait, once until the next one is accepted.
func (a *acceptor) logError(err error) {
	if !a.logged {
		a.loop().engine.log.Error("cannot accept connections; is the limit on open files too low?", "error", err)
	}
	a.logged = true
}

// unlisten stops accepting. After it returns, the sockets may be closed.
func (a *acceptor) unlisten() {
	a.loop().do(func() {
		for fd := range a.sockets {
			a.loop().poll.unlisten(fd)
		}
		clear(a.sockets)
		a.paused, a.unwatched = false, nil
	})
}

// ready accepts the connections that wait on a socket, and watches it again.
func (a *acceptor) ready(fd int) {
	if a.paused {
		return // an event from before the pause
	}
	a.accept(fd)
	if a.loop().oneShot && !a.paused && a.sockets[fd] != nil {
		a.watch(fd)
	}
}

// accept accepts waiting connections and hands them to the loops in turn. It reports
// whether none is left.
func (a *acceptor) accept(fd int) bool {
	options := a.sockets[fd]
	if options == nil {
		return true // the listener is closed
	}
	for range acceptsPerTurn {
		client, from, err := acceptSocket(fd)
		switch err {
		case nil:
			a.logged = false
			if a.noInherit {
				setOptions(client)
			}
			a.assign(client, socketAddr(from), options)
		case syscall.EAGAIN:
			return true
		case syscall.EINTR, syscall.ECONNABORTED, syscall.EPROTO:
			// That client is gone; the next may not be.
		default:
			a.pause(err)
			return false
		}
	}
	return false
}

func (a *acceptor) assign(fd int, peer netip.AddrPort, options *ListenOptions) {
	to := a.loops[a.next%len(a.loops)]
	a.next++
	late := a.late
	if to == a.loop() {
		to.adopt(fd, peer, options, late)
		return
	}
	to.mail.post(func() { to.adopt(fd, peer, options, late) })
}

// pause leaves new clients in the kernel's queue until the next tick: polling a
// level-triggered listener without accepting would spin.
func (a *acceptor) pause(err error) {
	a.logError(err)
	a.paused, a.unwatched = true, slices.Collect(maps.Keys(a.sockets))
	for _, fd := range a.unwatched {
		a.loop().poll.pause(fd)
	}
}

// resume watches the unwatched sockets again.
func (a *acceptor) resume() {
	again := a.unwatched
	a.paused, a.unwatched = false, nil
	for _, fd := range again {
		a.watch(fd)
	}
}

// adopt makes an accepted socket a connection of this loop. Beyond the limit it is rejected
// once its request turns out not to be vital. late means that it may have waited during
// a pause.
func (l *loop) adopt(fd int, peer netip.AddrPort, options *ListenOptions, late bool) {
	if l.drained != nil || l.stopped {
		syscall.Close(socket(fd))
		return
	}
	c := l.conns.alloc()
	c.fd, c.state = int32(fd), stateHead
	c.lastSent = l.wheel.now
	c.late = late || l.lateArrivals > 0
	c.incoming = l.incoming.get()
	*c.incoming = incoming{conn: l.handle(c), client: peer, options: options, expectProxy: options.Proxy}
	if options.TLS != nil {
		c.tls = &tlsLayer{Conn: new(noConn), onLoop: true, loop: l}
	}
	l.engine.limiter.enter(c.incoming).closeEvicted()
	if err := l.poll.add(fd, c.slot, c.gen); err != nil {
		l.engine.log.Error("cannot serve a connection", "error", err)
		l.drop(c, 0, "")
		return
	}
	l.wheel.schedule(c, l.wheel.now+ticks(l.engine.cfg.HeadTimeout))
}

// recycle returns a connection's record to the free list.
func (l *loop) recycle(c *conn) {
	*c.incoming = incoming{}
	l.incoming.put(c.incoming)
	c.incoming = nil
}

// closeEvicted closes a connection, if any, that was evicted in favor of a new one. The
// limiter's lock must not be held.
func (c Conn) closeEvicted() {
	c.post(func(l *loop, c *conn) {
		if c.incoming == nil {
			return
		}
		if c.state == stateHead || c.state == stateParked { // else it was rejected before
			rejectErr := l.engine.limiter.rejection(c.incoming)
			l.engine.reportRejection(rejectErr, c.incoming.client)
			if (c.incoming.started() || c.state == stateParked) && c.out == nil {
				// Only what the socket takes at once is sent.
				if _, _, ok := l.write(c, rejectErr.response()); !ok {
					return
				}
			}
		}
		l.drop(c, 0, "")
	})
}
