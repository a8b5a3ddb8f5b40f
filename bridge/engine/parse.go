package engine

import (
	"bytes"
	"fmt"
	"math"

	"github.com/gobwas/ws"
)

// parse parses bytes just read, or, without any, those that an earlier turn left.
func (l *loop) parse(c *conn, data []byte) {
	p := c.in
	if p == nil {
		p = l.parsers.borrow()
		if c.deflate {
			p.deflate = l.engine.deflate
		}
	}
	c.in = p
	if p.rest.pending() {
		data = p.rest.left
	}
	l.sink = connSink{l, c, c.gen}
	gen := c.gen
	rest, err := p.feed(data, l.engine.cfg.MaxMessage, &l.sink)
	if c.gen != gen {
		return // dropped by what it sent; drop gave the parser back
	}
	if err != nil {
		l.returnParser(c)
		l.beginEnding(c, *err)
		return
	}
	if p.rest.keep(rest); p.rest.pending() {
		l.readLater(c)
	}
	if p.idle() {
		l.returnParser(c)
		return
	}
	if l.engine.hold(p) {
		l.beginClose(c, tryAgainLater, heldTooMuch)
	}
}

// returnParser takes a connection's parser back, without what it held.
func (l *loop) returnParser(c *conn) {
	p := c.in
	c.in = nil
	if p == nil {
		return
	}
	l.engine.release(p)
	message := p.message[:0]
	if cap(message) > readSize {
		message = nil
	}
	*p = parser{message: message}
	l.parsers.giveBack(p)
}

// remainder is input from a client that is not parsed yet because its turn was over.
type remainder struct {
	left []byte
	size int // of the memory behind left
}

func (r *remainder) pending() bool { return len(r.left) > 0 }

// keep keeps the bytes until the next turn: a copy, unless they are the tail of what it
// keeps already.
func (r *remainder) keep(rest []byte) {
	switch {
	case len(rest) == 0:
		*r = remainder{}
	case r.pending():
		r.left = rest
	default:
		r.left = bytes.Clone(rest)
		r.size = cap(r.left)
	}
}

// hold counts the bytes that a parser keeps between turns, and reports whether the
// engine exceeds its bound.
func (e *Engine) hold(p *parser) bool {
	if n := cap(p.message) + p.rest.size - p.held; n != 0 {
		p.held += n
		return e.held.Add(int64(n)) > int64(e.cfg.MaxInbound) && n > 0
	}
	return false
}

// release returns a parser's bytes to the engine's account.
func (e *Engine) release(p *parser) {
	if p.held != 0 {
		e.held.Add(-int64(p.held))
		p.held = 0
	}
}

// connSink takes one connection's messages from the parser.
type connSink struct {
	l   *loop
	c   *conn
	gen uint32
}

// alive reports whether the connection still exists: closing it may have found it
// broken, and then its parser belongs to another one.
func (s *connSink) alive() bool { return s.c.gen == s.gen }

func (s *connSink) wants() bool { return s.c.state == stateOpen }

func (s *connSink) turnOver() bool { return s.l.work <= 0 || s.l.engine.tooMuchToRead() }

func (s *connSink) message(op ws.OpCode, payload []byte) bool {
	s.l.work -= messageWork + len(payload)
	if s.c.state != stateOpen || !s.withinRate() {
		return s.alive() // the server is closing: only the peer's close frame matters
	}
	s.l.tally.received++
	m := Message{Binary: op == ws.OpBinary, Payload: payload}
	if s.l.checkStall(); s.c.waited {
		m.Stalled = s.l.stood
	}
	if !s.l.engine.message(s.l.handle(s.c), s.c.session, m) {
		s.l.beginClose(s.c, ws.StatusInternalServerError, failed)
	}
	return s.alive()
}

func (s *connSink) control(op ws.OpCode, payload []byte) bool {
	c := s.c
	s.l.work -= messageWork
	if op != ws.OpClose && c.state == stateOpen && !s.withinRate() {
		return s.alive()
	}
	switch op {
	case ws.OpPing:
		if c.state == stateOpen {
			s.l.send(c, newFrame(ws.OpPong, payload))
		}
	case ws.OpClose:
		s.l.beginEnding(c, readClose(payload))
		return false
	}
	return s.alive()
}

func (s *connSink) fragments() bool {
	s.l.work -= messageWork
	if s.c.state == stateOpen {
		s.withinRate()
	}
	return s.alive()
}

func (s *connSink) inflated(n int) { s.c.budget.charge(n / inflatedPerMessage) }

// withinRate uses one message of the client's budget, or closes it.
func (s *connSink) withinRate() bool {
	rate := s.l.engine.cfg.MessageRate
	if s.c.budget.take(rate, s.l.wheel.now) {
		return true
	}
	s.l.beginClose(s.c, ws.StatusPolicyViolation, tooManyMessages(rate))
	return false
}

const (
	// burst is how many seconds' worth of messages a quiet client may save up.
	burst = 10
	// inflatedPerMessage is how many bytes of decompressed data count as one more
	// message.
	inflatedPerMessage = 16 << 10
	// fragmentsPerMessage is how many fragments count as one more message.
	fragmentsPerMessage = 16
)

// budget bounds one client's messages: so many a second, and a burst.
type budget struct {
	left int32
	at   tick
}

// most bounds what a client can save up, beyond any real rate.
func most(rate int) int64 { return min(int64(rate), math.MaxInt32/burst) * burst }

// full is the budget of a client that has just come.
func fullBudget(rate int, now tick) budget { return budget{int32(most(rate)), now} }

// take uses one message of the budget. It is false when none is left.
func (b *budget) take(rate int, now tick) bool {
	if now != b.at {
		const ticksPerSecond = int64(second / tickLength)
		// Ten seconds fill the budget, so no product can overflow.
		earned := min(int64(now-b.at), burst*ticksPerSecond) * (most(rate) / burst) / ticksPerSecond
		b.left = int32(min(int64(b.left)+earned, most(rate)))
		b.at = now
	}
	if b.left <= 0 {
		return false
	}
	b.left--
	return true
}

// charge takes up to n messages from the budget. It stops at zero, so that one large
// message does not cost a slow client its next one.
func (b *budget) charge(n int) { b.left -= int32(min(int64(n), int64(max(b.left, 0)))) }

func tooManyMessages(rate int) string {
	return fmt.Sprintf("too many messages: more than %d a second", rate)
}
