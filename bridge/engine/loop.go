package engine

import (
	"runtime"
	"sync"
	"time"
)

const (
	// sweepSlice is how many followers of a ring are visited in a turn.
	sweepSlice = 128
	// maxSweepVisits bounds, approximately, the followers of all rings visited in a turn.
	maxSweepVisits = 4 * sweepSlice
	// outboundWritesPerTurn bounds the writes from one connection's own queue before others
	// are served.
	outboundWritesPerTurn = 4
	// maxTurnBytes bounds what all connections get from their own queues in a turn: a
	// thousand clients may ask for half a megabyte each at once, and others must not be
	// delayed. It takes the kernel about a millisecond.
	maxTurnBytes = 2 << 20
	// maxFree bounds the values in a freeList.
	maxFree = 64
)

// loop owns a share of the connections. Only its goroutine uses the fields, except mail.
type loop struct {
	engine *Engine
	index  int
	mail   mailbox
	poll   poller
	conns  slab
	wheel  wheel

	oneShot bool // poller.oneShot

	pending     []mail               // taken from the mailbox
	next        int                  // the first of pending that is not done
	dirty       []*ring              // rings with frames not yet offered to every follower
	activeRings []*ring              // rings that have frames, or had some at the last tick
	toRead      []connRef            // connections with input left after their quantum
	toFlush     []connRef            // connections with frames in their own queue
	slowWatches []slowWatch          // connections with shared frames in their queue
	dueRings    dueHeap              // rings with delayed frames
	finishing   map[int32]*finishing // connections whose last answers are awaited, by slot

	// The current turn.
	turnBytes    int // bytes written from the connections' own queues
	turnRequests int // requests decided
	quantum      int // work left for the current client
	scratch      scratch

	parsers freeList[parser] // for connections in the middle of a message

	usage         usage                   // bytes in the connections' own queues
	reportedUsage int                     // of which the engine knows
	pausedSince   map[int32]time.Duration // since when reading is paused, by slot

	backpressure backpressure  // while reading is suspended
	lastCheck    time.Duration // the last check for a pause
	pauseLength  time.Duration // of the last pause
	lateArrivals int           // while positive, new connections may have waited during it

	acceptor *acceptor // nil except on the first loop
	incoming freeList[incoming]
	drained  func() // called once when no connection is left; nil unless draining
	stopped  bool

	counters   counters
	countersMu sync.Mutex // guards published, which only the loop changes
	published  counters   // counters as of the last turn

	ended chan struct{} // closed when the loop has ended; anyone may wait for it
}

// startLoops creates the engine's loops. The first one accepts for all.
func (e *Engine) startLoops() error {
	for i := range e.cfg.Loops {
		l := &loop{engine: e, index: i, scratch: scratch{input: make([]byte, readSize)}, ended: make(chan struct{}), finishing: map[int32]*finishing{}, pausedSince: map[int32]time.Duration{}}
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
	l.lastCheck = l.engine.pauses.clock()
	for !l.stopped {
		l.turn()
	}
}

// do runs a function on the loop, and waits until it is done or the loop has ended.
func (l *loop) do(do func()) {
	done := make(chan struct{})
	l.mail.post(func() { do(); close(done) })
	select {
	case <-done:
	case <-l.ended:
	}
}

// turn waits for something to do, and does a bounded share of it: input, deadlines, what
// other goroutines posted, and output.
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
	l.turnBytes, l.turnRequests = 0, 0
	l.checkPause()
	if l.acceptor != nil && l.acceptor.late {
		l.acceptor.acceptLate()
	}
	if timeout != 0 {
		l.mail.woken()
	}
	for _, ev := range events {
		l.event(ev)
	}
	l.readQueued()
	// After a long pause, pongs may wait in the sockets: deadlines are checked only after
	// reading.
	if now := l.engine.now(); now != l.wheel.now {
		due := time.Duration(l.wheel.now) * tickLength // the end of the last tick
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
	if l.turnRequests >= requestsPerTurn {
		// More may wait, and this goroutine would keep its processor for 10 ms.
		runtime.Gosched()
	}
}

// tick does what is due on the coarse clock.
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

// activate adds a ring to those that have frames.
func (l *loop) activate(r *ring) {
	if !r.active {
		r.active = true
		l.activeRings = append(l.activeRings, r)
	}
}

// expireLogs drops frames that are too old, and schedules a sweep for followers that still
// need them. Its cost depends only on logs with frames.
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
		if c.state == stateHead && l.turnRequests >= requestsPerTurn {
			l.queueRead(c)
			return
		}
		l.read(c, ended)
	}
}

// freeList holds values that only few connections need at a time.
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

// lookup returns a connection, or nil if it has ended.
func (l *loop) lookup(r connRef) *conn {
	if c := l.conns.at(r.slot); c.gen == r.gen {
		return c
	}
	return nil
}

func (l *loop) handle(c *conn) Conn { return Conn{l, c.ref()} }

// processMail does what other goroutines posted. It leaves frames in the mailbox while a
// ring has a quarter of its limit unswept, so that followers are served first. If too much
// waits nevertheless, because its source ignores [Engine.AwaitCapacity], the ring drops its
// oldest frames, and followers that still need them have lagged.
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
