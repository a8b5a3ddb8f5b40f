package engine

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// recentPause is how long [Engine.Paused] reports a pause after its end: by then the input
// that waited has been read.
const recentPause = time.Second

// pauseDetector detects that the process was paused: it was stopped or suspended, sat in a
// debugger, or got no CPU. Each loop checks for itself, with a clock that keeps running
// ([loop.checkPause]); a heartbeat covers everything else.
type pauseDetector struct {
	clock     func() time.Duration // monotonic, including time in suspend
	threshold time.Duration        // Limits.LateAfter
	log       *slog.Logger
	ended     chan struct{} // ends the heartbeat

	lastBeat atomic.Int64          // the last heartbeat, by the clock
	last     atomic.Pointer[pause] // found by a loop or the heartbeat
	count    atomic.Uint64         // all pauses
	total    atomic.Int64          // their length in nanoseconds
}

// pause is a span of time in which the process did not run.
type pause struct {
	end    time.Duration // by the clock
	length time.Duration
}

func (s *pauseDetector) init(cfg *Config) {
	s.clock, s.threshold, s.log = cfg.clock, cfg.LateAfter, cfg.Logger
	if s.clock == nil {
		s.clock = bootClock
	}
	s.ended = make(chan struct{})
	s.lastBeat.Store(int64(s.clock()))
}

// run runs the heartbeat until the engine ends.
func (s *pauseDetector) run() {
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

// heartbeat records a pause if the last heartbeat is too old.
func (s *pauseDetector) heartbeat() {
	now := s.clock()
	if gap := now - time.Duration(s.lastBeat.Load()); gap > s.threshold {
		s.record(now, gap)
	}
	s.lastBeat.Store(int64(now))
}

// record counts and logs a pause that ends now, unless a loop or the heartbeat has recorded
// it already.
func (s *pauseDetector) record(now, length time.Duration) {
	last := s.last.Load()
	if last != nil && last.end > now-length || !s.last.CompareAndSwap(last, &pause{now, length}) {
		return
	}
	s.count.Add(1)
	s.total.Add(int64(length))
	s.log.Warn("the process was paused: messages that clients sent meanwhile are late", "for", length.Round(100*time.Millisecond))
}

// Paused returns the length of a pause of the process that ended less than a second ago or
// has not been detected yet, else 0. It is for requests that do not come as a [Message],
// such as those of net/http.
func (e *Engine) Paused() time.Duration { return e.pauses.recent().length }

// recent returns a pause that ended less than a second ago or has not been detected yet;
// otherwise the zero value.
func (s *pauseDetector) recent() pause {
	now := s.clock()
	if gap := now - time.Duration(s.lastBeat.Load()); gap > s.threshold {
		return pause{now, gap}
	}
	if last := s.last.Load(); last != nil && now-last.end < recentPause {
		return *last
	}
	return pause{}
}

// checkPause detects whether the loop was paused since the last check, and marks the
// connections whose messages may have waited.
func (l *loop) checkPause() {
	now := l.engine.pauses.clock()
	gap := now - l.lastCheck
	l.lastCheck = now
	if gap <= l.engine.pauses.threshold {
		return
	}
	l.pauseLength = gap
	l.engine.pauses.record(now, gap)
	l.conns.each(func(c *conn) { c.late = c.late || c.hasInput() })
	// Connections on their way to this loop may have waited, too.
	l.lateArrivals++
	l.mail.post(func() { l.lateArrivals-- })
	if l.acceptor != nil {
		l.acceptor.late = true
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
// was sent after the pause, except the rest of a message that began before.
func (l *loop) socketEmptied(c *conn) {
	if c.late && c.parser == nil && c.incoming == nil && !c.tls.hasInput() {
		c.late = false
	}
	if l.oneShot {
		l.poll.awaitReadable(c.slot)
	}
}

// acceptLate accepts the connections that wait on the listening sockets after a pause.
// Until each was found empty once, what it accepts counts as late.
func (a *acceptor) acceptLate() {
	for fd := range a.sockets {
		if !a.accept(fd) {
			return // the rest is for the next turn
		}
	}
	a.late = false
}

// backpressure is a time in which a loop reads nothing because too much waits to be written
// ([Engine.readsSuspended]).
type backpressure struct {
	active     bool
	since      time.Duration // by the clock of pauseDetector
	graceUntil tick          // until then, input from that time may still be unread
}

// catchUpTime is how long the loop may take to read the input that waited.
const catchUpTime = second

// underBackpressure reports whether the loop must not read in this turn. When it may again,
// input that may have waited longer than LateAfter counts as late.
func (l *loop) underBackpressure() bool {
	switch now := l.engine.readsSuspended(); {
	case now && !l.backpressure.active:
		l.backpressure = backpressure{active: true, since: l.engine.pauses.clock()}
	case !now && l.backpressure.active:
		l.backpressure.active = false
		l.backpressure.graceUntil = l.wheel.now + ticks(catchUpTime)
		if waited := l.engine.pauses.clock() - l.backpressure.since; waited > l.engine.pauses.threshold {
			l.pauseLength = waited
			for _, e := range l.toRead {
				if c := l.lookup(e); c != nil {
					c.late = true
				}
			}
		}
	}
	return l.backpressure.active
}

// inputUnread reports whether a connection has input that backpressure or the requests of
// others alone have kept from being read: its deadline does not apply then.
func (l *loop) inputUnread(c *conn) bool {
	return c.readQueued && (c.state == stateHead || l.backpressure.active || l.wheel.now.before(l.backpressure.graceUntil))
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
		l.pausedSince[c.slot] = l.engine.pauses.clock()
	}
}

// resumeReading ends the pause. Input that may have waited longer than LateAfter counts as
// late.
func (l *loop) resumeReading(c *conn) {
	waited := l.endPause(c)
	if waited > l.engine.pauses.threshold && c.hasInput() {
		c.late, l.pauseLength = true, waited
	}
	l.queueRead(c)
}

// endPause ends the pause and returns its length.
func (l *loop) endPause(c *conn) time.Duration {
	since := l.pausedSince[c.slot]
	c.paused = false
	delete(l.pausedSince, c.slot)
	return l.engine.pauses.clock() - since
}
