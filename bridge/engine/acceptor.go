package engine

import (
	"maps"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

const (
	// unackedTimeout is how long sent bytes may stay unacknowledged.
	unackedTimeout = time.Minute
	// maxUnsent is how many unsent bytes the kernel keeps for one client, beside
	// what is on its way. Without it they grow to the send buffer's 4 MiB.
	maxUnsent = 256 << 10
)

// acceptsPerTurn bounds how many connections are accepted before those that are
// there have their turn.
const acceptsPerTurn = 64

// acceptor accepts connections on the first loop and deals them out to all.
// Its fields are the first loop's.
type acceptor struct {
	loops     []*loop
	sockets   map[int]*ListenOptions
	unwatched []int // sockets that are not reported: the next tick tries again
	paused    bool  // these are all, because no file descriptors were left
	logged    bool  // the log knows, since the last connection was accepted
	next      int   // whose turn it is

	stalled   bool // connections may have arrived while the loop stood still
	noInherit bool // accepted sockets do not have the listener's options
}

// setOptions sets what a client's socket needs, or a listener's for its heirs.
// All fail on a Unix socket, which has no delay, no network and small buffers.
func setOptions(fd int) {
	// Replies must not wait for one another.
	_ = syscall.SetsockoptInt(socket(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	// A peer that vanished while it is sent things is gone sooner than after the
	// kernel's quarter of an hour, and what is kept for one that does not read is bounded.
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

// watch has a socket reported while connections wait on it. If that fails, the next tick
// tries again: with no file descriptor left the portable poller cannot have its own.
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

// logError logs why connections have to wait, once until one is accepted again.
func (a *acceptor) logError(err error) {
	if !a.logged {
		a.loop().engine.log.Error("cannot accept connections; is the limit on open files too low?", "error", err)
	}
	a.logged = true
}

// unlisten stops accepting, and returns when the sockets may be closed.
func (a *acceptor) unlisten() {
	a.loop().do(func() {
		for fd := range a.sockets {
			a.loop().poll.unlisten(fd)
		}
		clear(a.sockets)
		a.paused, a.unwatched = false, nil
	})
}

// ready accepts the connections that wait on a socket, and has it reported again.
func (a *acceptor) ready(fd int) {
	if a.paused {
		return // reported before the pause
	}
	a.accept(fd)
	if a.loop().oneShot && !a.paused && a.sockets[fd] != nil {
		a.watch(fd)
	}
}

// accept accepts waiting connections and hands them to the loops in turn. It reports
// whether no more wait.
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
	late := a.stalled
	if to == a.loop() {
		to.adopt(fd, peer, options, late)
		return
	}
	to.mail.post(func() { to.adopt(fd, peer, options, late) })
}

// pause leaves new clients in the kernel's queue until the next tick: a
// level-triggered listener that nobody accepts from would spin.
func (a *acceptor) pause(err error) {
	a.logError(err)
	a.paused, a.unwatched = true, slices.Collect(maps.Keys(a.sockets))
	for _, fd := range a.unwatched {
		a.loop().poll.pause(fd)
	}
}

// resume has the sockets reported again that are not.
func (a *acceptor) resume() {
	again := a.unwatched
	a.paused, a.unwatched = false, nil
	for _, fd := range again {
		a.watch(fd)
	}
}

// adopt makes an accepted socket a connection of this loop. Beyond the limit it is
// refused once its request turns out not to be vital. late means that it may have waited
// during a stall.
func (l *loop) adopt(fd int, peer netip.AddrPort, options *ListenOptions, late bool) {
	if l.drained != nil || l.stopped {
		syscall.Close(socket(fd))
		return
	}
	c := l.conns.alloc()
	c.fd, c.state = int32(fd), stateHead
	c.lastSent = l.wheel.now
	c.stalled = late || l.stalledArrivals > 0
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

// recycle takes a record back.
func (l *loop) recycle(c *conn) {
	*c.incoming = incoming{}
	l.incoming.put(c.incoming)
	c.incoming = nil
}

// closeEvicted ends a connection, if any, whose place a new one took. The limiter's lock must
// not be held.
func (c Conn) closeEvicted() {
	c.post(func(l *loop, c *conn) {
		if c.incoming == nil {
			return
		}
		if c.state == stateHead { // else it was refused before
			rejectErr := l.engine.limiter.rejection(c.incoming)
			l.engine.reportRejection(rejectErr, c.incoming.client)
			if c.incoming.started() && c.out == nil {
				// Only what the socket takes at once is sent.
				if _, ok := l.write(c, rejectErr.response()); !ok {
					return
				}
			}
		}
		l.drop(c, 0, "")
	})
}
