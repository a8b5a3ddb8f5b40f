package engine

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// stallMemory is how long [Engine.Stalled] reports a stall after its end: by then the
// input that waited has been read.
const stallMemory = time.Second

// stalls detects that the process stood still: it was stopped or suspended, sat in a
// debugger, or got no CPU. Each loop checks for itself, by a clock that keeps running
// ([loop.checkStall]); a heartbeat serves everything else.
type stalls struct {
	clock func() time.Duration // monotonic, including time in suspend
	after time.Duration        // Limits.StallAfter
	log   *slog.Logger
	ended chan struct{} // ends the heartbeat

	beat  atomic.Int64          // the last heartbeat, by the clock
	last  atomic.Pointer[stall] // the last one, found by a loop or the heartbeat
	count atomic.Uint64         // all stalls
	total atomic.Int64          // their length in nanoseconds
}

// stall is a span of time in which the process stood still.
type stall struct {
	end    time.Duration // by the clock
	length time.Duration
}

func (s *stalls) init(cfg *Config) {
	s.clock, s.after, s.log = cfg.clock, cfg.StallAfter, cfg.Logger
	if s.clock == nil {
		s.clock = bootClock
	}
	s.ended = make(chan struct{})
	s.beat.Store(int64(s.clock()))
}

// watch runs the heartbeat until the engine ends.
func (s *stalls) watch() {
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

// heartbeat notes a stall if the last heartbeat is too old.
func (s *stalls) heartbeat() {
	now := s.clock()
	if gap := now - time.Duration(s.beat.Load()); gap > s.after {
		s.note(now, gap)
	}
	s.beat.Store(int64(now))
}

// note counts and logs a stall that ends now, unless a loop or the heartbeat has noted
// it already.
func (s *stalls) note(now, length time.Duration) {
	last := s.last.Load()
	if last != nil && last.end > now-length || !s.last.CompareAndSwap(last, &stall{now, length}) {
		return
	}
	s.count.Add(1)
	s.total.Add(int64(length))
	s.log.Warn("the process stood still: messages that clients sent meanwhile are late", "for", length.Round(100*time.Millisecond))
}

// Stalled returns how long the process stood still, if the stall ended less than a
// second ago or has not been noticed yet, else 0. It is for requests that do not come
// as a [Message], such as those of net/http.
func (e *Engine) Stalled() time.Duration { return e.stalls.recent().length }

// recent is a stall that ended less than a second ago, or has not been noticed yet;
// without one it is zero.
func (s *stalls) recent() stall {
	now := s.clock()
	if gap := now - time.Duration(s.beat.Load()); gap > s.after {
		return stall{now, gap}
	}
	if last := s.last.Load(); last != nil && now-last.end < stallMemory {
		return *last
	}
	return stall{}
}

// checkStall detects whether the loop stood still since the last check, and marks the
// connections whose messages may have waited.
func (l *loop) checkStall() {
	now := l.engine.stalls.clock()
	gap := now - l.looked
	l.looked = now
	if gap <= l.engine.stalls.after {
		return
	}
	l.stood = gap
	l.engine.stalls.note(now, gap)
	l.conns.each(func(c *conn) { c.waited = c.waited || c.hasInput() })
	// Connections on their way to this loop existed before the check.
	l.lateArrivals++
	l.mail.post(func() { l.lateArrivals-- })
	if l.accepting != nil {
		l.accepting.behind = true
	}
}

// hasInput reports whether input from the peer has not been handed over yet.
func (c *conn) hasInput() bool {
	if c.in != nil || c.head != nil || c.tls.waits() {
		return true
	}
	n, err := inputBytes(int(c.fd))
	return err != nil || n > 0
}

// emptied handles a socket that was found empty: its next input is a new event, and was
// sent after the stall, except the rest of a message that began before.
func (l *loop) emptied(c *conn) {
	if c.waited && c.in == nil && c.head == nil && !c.tls.waits() {
		c.waited = false
	}
	if l.oneShot {
		l.poll.awaitInput(c.slot)
	}
}

// catchUp accepts the connections that wait on the listening sockets after a stall. Until
// each was found empty once, what it accepts is late.
func (a *listening) catchUp() {
	for fd := range a.sockets {
		if !a.accept(fd) {
			return // the rest is for the next turn
		}
	}
	a.behind = false
}

// putOff is the time in which a loop reads nothing because too much waits to be brought
// to clients ([Engine.tooMuchToRead]).
type putOff struct {
	on    bool
	since time.Duration // by the clock of stalls
	spare tick          // up to which what waited then may not be read yet
}

// putOffReads is how long the loop may take to read what waited meanwhile.
const putOffReads = second

// readingPutOff reports whether the loop must not read in this turn. When it may again, input
// that may have waited longer than a stall counts as late.
func (l *loop) readingPutOff() bool {
	switch now := l.engine.tooMuchToRead(); {
	case now && !l.putOff.on:
		l.putOff = putOff{on: true, since: l.engine.stalls.clock()}
	case !now && l.putOff.on:
		l.putOff.on = false
		l.putOff.spare = l.wheel.now + ticks(putOffReads)
		if waited := l.engine.stalls.clock() - l.putOff.since; waited > l.engine.stalls.after {
			l.stood = waited
			for _, e := range l.unread {
				if c := l.lookup(e); c != nil {
					c.waited = true
				}
			}
		}
	}
	return l.putOff.on
}

// putOffInput reports whether a connection has sent what the loop has not read only because
// it put that off: then its deadline says nothing about it.
func (l *loop) putOffInput(c *conn) bool {
	return c.toRead && (l.putOff.on || l.wheel.now.before(l.putOff.spare))
}

const (
	// pauseAbove is how many bytes may be queued for a connection that takes nothing
	// before reading from it is paused: further answers would only be queued, too.
	pauseAbove = 1 << 20
	// pauseAfter is how long such a connection must have taken nothing.
	pauseAfter = 500 * time.Millisecond
)

// backlogged reports whether reading from a connection should be paused because it does
// not take what it is sent. A connection that takes some of it has a higher bound: a
// command must not wait because the network is slow.
func (l *loop) backlogged(c *conn) bool {
	if c.out == nil || !c.blocked || c.state != stateOpen {
		return false
	}
	debt := c.out.debt()
	return debt > maxOutbound || debt > pauseAbove && l.wheel.now-c.sent >= ticks(pauseAfter)
}

// pauseReading leaves a connection's input in the socket.
func (l *loop) pauseReading(c *conn) {
	if !c.paused {
		c.paused = true
		l.paused[c.slot] = l.engine.stalls.clock()
	}
}

// resumeReading ends the pause. Input that may have waited longer than a stall counts
// as late.
func (l *loop) resumeReading(c *conn) {
	waited := l.endPause(c)
	if waited > l.engine.stalls.after && c.hasInput() {
		c.waited, l.stood = true, waited
	}
	l.readLater(c)
}

// endPause returns how long reading from a connection was paused.
func (l *loop) endPause(c *conn) time.Duration {
	since := l.paused[c.slot]
	c.paused = false
	delete(l.paused, c.slot)
	return l.engine.stalls.clock() - since
}
