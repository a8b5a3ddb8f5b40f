package engine

import (
	"sync"
	"time"
)

const (
	// sweepSlice is how many members are visited before the loop looks at what came in.
	sweepSlice = 128
	// maxSweepVisits is how many members of all rings are, about.
	maxSweepVisits = 4 * sweepSlice
	// outboundWritesPerTurn bounds the writes of frames of its own that one connection gets
	// before others have their turn.
	outboundWritesPerTurn = 4
	// maxTurnBytes bounds what all of them get of these before the loop looks at what
	// came in: a thousand clients may ask for half a megabyte each at once, and
	// the others must not be late for that. It takes the kernel about a millisecond.
	maxTurnBytes = 2 << 20
	// maxFree is how many values of a kind a loop keeps for connections that need one.
	maxFree = 64
)

// loop owns a share of the connections. Everything here is touched by its
// goroutine only, save mail.
type loop struct {
	engine *Engine
	index  int
	mail   mailbox
	poll   poller
	conns  slab
	wheel  wheel

	oneShot bool // of the poller

	pending     []mail               // taken from the mailbox, not yet done
	next        int                  // the first of pending that is not done
	dirty       []*ring              // rings with frames that not every member was offered
	activeRings []*ring              // rings that have frames, or had at the last tick
	toRead      []connRef            // connections with input left after their share of a turn
	toFlush     []connRef            // connections with frames of their own to write
	slowWatches []slowWatch          // connections that were lent frames
	dueRings    dueHeap              // rings with frames that wait until they are due
	finishing   map[int32]*finishing // connections whose last answers are awaited, by slot

	unfinished   []*ring   // rings with more to do than a turn takes
	toFlushSpare []connRef // the memory of the next late
	toReadSpare  []connRef // and of the next unread
	turnBytes    int       // bytes of such frames that were written in this turn
	quantum      int       // work left in the current client's turn, see clientWork

	buf        []byte // what was just read
	scratch    []byte // joined frames for one connection
	plaintext  []byte // what was just decrypted
	ciphertext []byte // ciphertext that crypto/tls just made, not sent yet
	unsent     []byte // the part of it that a socket did not take
	parsers    freeList[parser]
	sink       connSink

	usage         usage                   // what waits for its connections alone
	reportedUsage int                     // bytes of it that the engine knows
	pausedSince   map[int32]time.Duration // since when reading from connections is paused, by slot

	backpressure    backpressure  // while reading is put off for what waits to be written
	lastCheck       time.Duration // the last look at the clock of stalls
	stallLength     time.Duration // length of the last stall
	stalledArrivals int           // while positive, new connections may have waited during it

	acceptor *acceptor // the first loop's
	incoming freeList[incoming]
	request  Request // the one that is being looked at
	drained  func()  // called once when no connection is left, while draining
	stopped  bool

	counters   counters
	countersMu sync.Mutex // guards told, which only the loop changes
	published  counters   // what of the tally anybody may see

	ended chan struct{} // closed when the loop no longer runs; anybody may wait for it
}

// startLoops makes the engine's loops, the first of which accepts for all.
func (e *Engine) startLoops() error {
	for i := range e.cfg.Loops {
		l := &loop{engine: e, index: i, buf: make([]byte, readSize), ended: make(chan struct{}), finishing: map[int32]*finishing{}, pausedSince: map[int32]time.Duration{}}
		l.wheel.now, l.wheel.conns = 1, &l.conns
		var err error
		if l.poll, err = newPoller(e.cfg.Portable); err != nil {
			for _, l := range e.loops {
				l.poll.close()
			}
			return err
		}
		l.oneShot = l.poll.oneShot()
		l.mail.init(l.poll.wake, &e.capacity)
		e.loops = append(e.loops, l)
	}
	e.acceptor = &acceptor{loops: e.loops, sockets: map[int]*ListenOptions{}}
	for _, l := range e.loops {
		e.goroutines.Go(l.run)
	}
	return nil
}

// run serves until the loop is stopped.
func (l *loop) run() {
	defer l.exit()
	l.lastCheck = l.engine.stalls.clock()
	for !l.stopped {
		l.turn()
	}
}

// do has the loop do something, and waits until it is done or the loop has ended.
func (l *loop) do(do func()) {
	done := make(chan struct{})
	l.mail.post(func() { do(); close(done) })
	select {
	case <-done:
	case <-l.ended:
	}
}

// turn waits for something to do and does a share of everything there is.
func (l *loop) turn() {
	var timeout time.Duration
	busy := len(l.dirty) > 0 || l.next < len(l.pending) || len(l.toRead) > 0 && !l.engine.readsSuspended() || len(l.toFlush) > 0
	if !busy {
		now := l.engine.elapsed()
		if wait := l.untilDue(now); l.mail.sleep(now + wait) {
			timeout = wait
		}
	}
	events := l.poll.wait(timeout)
	l.turnBytes = 0
	l.checkStall()
	if l.acceptor != nil && l.acceptor.stalled {
		l.acceptor.acceptStalled()
	}
	if timeout != 0 {
		l.mail.woken()
	}
	for _, ev := range events {
		l.event(ev)
	}
	l.readQueued()
	// After a long stop, signs of life may lie in the sockets: deadlines come
	// when they were read.
	if now := l.engine.now(); now != l.wheel.now {
		due := time.Duration(l.wheel.now) * tickLength // of the tick after the last one
		l.counters.recordLag(time.Since(l.engine.start) - due)
		l.tick(now)
	}
	l.processMail()
	l.releaseDue()
	l.flushQueued()
	l.sweep()
	l.publishCounters()
	l.reportUsage()
	if l.drained != nil && l.conns.used == 0 {
		l.drained()
		l.drained = nil
	}
}

// tick does what the coarse clock asks for.
func (l *loop) tick(now tick) {
	l.wheel.advance(now, l.handleDeadline)
	l.expireLogs()
	l.checkSlow()
	l.checkFinishing()
	l.engine.handshakes.evictIdle(now)
	if l.acceptor != nil {
		l.acceptor.resume()
	}
}

// activate puts a ring on the list of those that have frames.
func (l *loop) activate(r *ring) {
	if !r.active {
		r.active = true
		l.activeRings = append(l.activeRings, r)
	}
}

// expireLogs forgets frames that are too old, and has who needed them seen to.
// Only logs that have frames cost anything.
func (l *loop) expireLogs() {
	age := ticks(l.engine.cfg.LogAge)
	keep, bytes := l.activeRings[:0], 0
	for _, r := range l.activeRings {
		if r.expire(l.wheel.now, age) {
			l.markDirty(r)
		}
		if r.tail < r.head {
			keep = append(keep, r)
			bytes += r.bytes
		} else {
			r.active = false
			r.shrink()
		}
	}
	clear(l.activeRings[len(keep):])
	l.activeRings = keep
	l.counters.backlog = bytes
}

func (l *loop) event(ev event) {
	if ev.slot == listenSlot {
		l.acceptor.ready(int(ev.gen))
		return
	}
	c := l.lookup(connRef{ev.slot, ev.gen})
	if c == nil {
		return
	}
	if ev.what&eventWritable != 0 && c.blocked {
		c.blocked = false
		l.flush(c)
	}
	if ev.what&eventReadable != 0 && c.gen == ev.gen && !c.readQueued {
		ended := ev.what&eventEnded != 0
		if c.tls.handshakeQueued() {
			l.handleQueuedHandshake(c, ended)
			return
		}
		l.read(c, ended)
	}
}

// freeList are values of which only few connections need one at a time.
type freeList[T any] []*T

func (s *freeList[T]) get() *T {
	n := len(*s) - 1
	if n < 0 {
		return new(T)
	}
	v := (*s)[n]
	*s = (*s)[:n]
	return v
}

// put takes a value that holds nothing.
func (s *freeList[T]) put(v *T) {
	if len(*s) < maxFree {
		*s = append(*s, v)
	}
}

// lookup finds a connection, or nil when it has ended.
func (l *loop) lookup(r connRef) *conn {
	if c := l.conns.at(r.slot); c.gen == r.gen {
		return c
	}
	return nil
}

func (l *loop) handle(c *conn) Conn { return Conn{l, c.ref()} }

// processMail does what other goroutines asked for. It stops short of bringing a
// ring more than a quarter of what it holds: the members must have their turn. When
// too much waits nevertheless, because its source does not care ([Engine.AwaitCapacity]),
// the ring loses what is oldest, and so do the members that have not had it.
func (l *loop) processMail() {
	if l.next == len(l.pending) {
		clear(l.pending)
		l.pending, l.next = l.mail.take(l.pending[:0]), 0
	}
	frames, bytes := 0, 0
	for l.next < len(l.pending) {
		m := l.pending[l.next]
		if m.do == nil && m.ring.unswept > m.ring.limit/4 {
			if _, cost := l.mail.waiting(); cost-bytes-frames*frameCost <= hardMailLimit {
				break
			}
			m.ring.dropFor(len(m.frame))
		}
		l.pending[l.next] = mail{}
		l.next++
		if m.do != nil {
			m.do()
			continue
		}
		l.push(m.ring, m.frame, m.due)
		frames++
		bytes += len(m.frame)
	}
	l.mail.processed(frames, bytes)
}
