package engine

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// recentStall is how long [Engine.Stalled] reports a stall after its end: by then the input
// that waited has been read.
const recentStall = time.Second

// stallDetector detects that the process stood still: it was stopped or suspended, sat in a
// debugger, or got no CPU. Each loop checks for itself, with a clock that keeps running
// ([loop.checkStall]); a heartbeat covers everything else.
type stallDetector struct {
	clock     func() time.Duration // monotonic, including time in suspend
	threshold time.Duration        // Limits.StallAfter
	log       *slog.Logger
	ended     chan struct{} // ends the heartbeat

	lastBeat atomic.Int64          // the last heartbeat, by the clock
	last     atomic.Pointer[stall] // found by a loop or the heartbeat
	count    atomic.Uint64         // all stalls
	total    atomic.Int64          // their length in nanoseconds
}

// stall is a span of time in which the process stood still.
type stall struct {
	end    time.Duration // by the clock
	length time.Duration
}

func (s *stallDetector) init(cfg *Config) {
	s.clock, s.threshold, s.log = cfg.clock, cfg.StallAfter, cfg.Logger
	if s.clock == nil {
		s.clock = bootClock
	}
	s.ended = make(chan struct{})
	s.lastBeat.Store(int64(s.clock()))
}

// run runs the heartbeat until the engine ends.
func (s *stallDetector) run() {
	tick := time.NewTicker(tickLength)
	defer tick.Stop()
	for {
		select {
		case <-s.ended:
			return
		case <-tick.C:
			s.heartbeat()
		}
	}
}

// heartbeat records a stall if the last heartbeat is too old.
func (s *stallDetector) heartbeat() {
	now := s.clock()
	if gap := now - time.Duration(s.lastBeat.Load()); gap > s.threshold {
		s.record(now, gap)
	}
	s.lastBeat.Store(int64(now))
}

// record counts and logs a stall that ends now, unless a loop or the heartbeat has recorded
// it already.
func (s *stallDetector) record(now, length time.Duration) {
	last := s.last.Load()
	if last != nil && last.end > now-length || !s.last.CompareAndSwap(last, &stall{now, length}) {
		return
	}
	s.count.Add(1)
	s.total.Add(int64(length))
	s.log.Warn("the process stood still: messages that clients sent meanwhile are late", "for", length.Round(100*time.Millisecond))
}

// Stalled returns the length of a stall of the process that ended less than a second ago or
// has not been detected yet, else 0. It is for requests that do not come as a [Message],
// such as those of net/http.
func (e *Engine) Stalled() time.Duration { return e.stalls.recent().length }

// recent returns a stall that ended less than a second ago or has not been detected yet;
// otherwise the zero value.
func (s *stallDetector) recent() stall {
	now := s.clock()
	if gap := now - time.Duration(s.lastBeat.Load()); gap > s.threshold {
		return stall{now, gap}
	}
	if last := s.last.Load(); last != nil && now-last.end < recentStall {
		return *last
	}
	return stall{}
}

// checkStall detects whether the loop stood still since the last check, and marks the
// connections whose messages may have waited.
func (l *loop) checkStall() {
	now := l.engine.stalls.clock()
	gap := now - l.lastCheck
	l.lastCheck = now
	if gap <= l.engine.stalls.threshold {
		return
	}
	l.stallLength = gap
	l.engine.stalls.record(now, gap)
	l.conns.each(func(c *conn) { c.stalled = c.stalled || c.hasInput() })
	// Connections on their way to this loop may have waited, too.
	l.stalledArrivals++
	l.mail.post(func() { l.stalledArrivals-- })
	if l.acceptor != nil {
		l.acceptor.stalled = true
	}
}

// hasInput reports whether input from the peer is still unread or unparsed.
func (c *conn) hasInput() bool {
	if c.parser != nil || c.incoming != nil || c.tls.hasInput() {
		return true
	}
	n, err := unreadBytes(int(c.fd))
	return err != nil || n > 0
}

// socketEmptied handles a socket that was found empty: its next input is a new event and
// was sent after the stall, except the rest of a message that began before.
func (l *loop) socketEmptied(c *conn) {
	if c.stalled && c.parser == nil && c.incoming == nil && !c.tls.hasInput() {
		c.stalled = false
	}
	if l.oneShot {
		l.poll.awaitReadable(c.slot)
	}
}

// acceptStalled accepts the connections that wait on the listening sockets after a stall.
// Until each was found empty once, what it accepts counts as stalled.
func (a *acceptor) acceptStalled() {
	for fd := range a.sockets {
		if !a.accept(fd) {
			return // the rest is for the next turn
		}
	}
	a.stalled = false
}

// backpressure is a time in which a loop reads nothing because too much waits to be written
// ([Engine.readsSuspended]).
type backpressure struct {
	active     bool
	since      time.Duration // by the clock of stallDetector
	graceUntil tick          // until then, input from that time may still be unread
}

// catchUpTime is how long the loop may take to read the input that waited.
const catchUpTime = second

// underBackpressure reports whether the loop must not read in this turn. When it may again,
// input that may have waited longer than StallAfter counts as stalled.
func (l *loop) underBackpressure() bool {
	switch now := l.engine.readsSuspended(); {
	case now && !l.backpressure.active:
		l.backpressure = backpressure{active: true, since: l.engine.stalls.clock()}
	case !now && l.backpressure.active:
		l.backpressure.active = false
		l.backpressure.graceUntil = l.wheel.now + ticks(catchUpTime)
		if waited := l.engine.stalls.clock() - l.backpressure.since; waited > l.engine.stalls.threshold {
			l.stallLength = waited
			for _, e := range l.toRead {
				if c := l.lookup(e); c != nil {
					c.stalled = true
				}
			}
		}
	}
	return l.backpressure.active
}

// inputUnread reports whether a connection has input that backpressure alone has kept from
// being read: its deadline does not apply then.
func (l *loop) inputUnread(c *conn) bool {
	return c.readQueued && (l.backpressure.active || l.wheel.now.before(l.backpressure.graceUntil))
}

const (
	// pauseSize is how many bytes may be queued for a connection that reads nothing before
	// reading from it is paused: its requests would only queue more.
	pauseSize = 1 << 20
	// pauseAfter is how long such a connection must have read nothing.
	pauseAfter = 500 * time.Millisecond
)

// backlogged reports whether to pause reading from a connection because it does not read
// what it is sent. The bound is higher while it reads some: a command must not wait because
// the network is slow.
func (l *loop) backlogged(c *conn) bool {
	if c.out == nil || !c.blocked || c.state != stateOpen {
		return false
	}
	queued := c.out.total()
	return queued > maxOutbound || queued > pauseSize && l.wheel.now-c.lastSent >= ticks(pauseAfter)
}

// pauseReading leaves a connection's input in the socket.
func (l *loop) pauseReading(c *conn) {
	if !c.paused {
		c.paused = true
		l.pausedSince[c.slot] = l.engine.stalls.clock()
	}
}

// resumeReading ends the pause. Input that may have waited longer than StallAfter counts as
// stalled.
func (l *loop) resumeReading(c *conn) {
	waited := l.endPause(c)
	if waited > l.engine.stalls.threshold && c.hasInput() {
		c.stalled, l.stallLength = true, waited
	}
	l.queueRead(c)
}

// endPause ends the pause and returns its length.
func (l *loop) endPause(c *conn) time.Duration {
	since := l.pausedSince[c.slot]
	c.paused = false
	delete(l.pausedSince, c.slot)
	return l.engine.stalls.clock() - since
}
