package engine

import (
	"bytes"
	"fmt"
	"math"

	"github.com/gobwas/ws"
)

// parse parses bytes just read, or, without any, those that an earlier turn left.
func (l *loop) parse(c *conn, data []byte) {
	p := c.parser
	if p == nil {
		p = l.parsers.get()
		if c.deflate {
			p.deflate = l.engine.deflate
		}
	}
	c.parser = p
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
		l.beginFinish(c, *err)
		return
	}
	if p.rest.keep(rest); p.rest.pending() {
		l.queueRead(c)
	}
	if p.idle() {
		l.returnParser(c)
		return
	}
	if l.engine.countInbound(p) {
		l.beginClose(c, statusTryAgainLater, reasonInboundFull)
	}
}

// returnParser takes a connection's parser back, without what it held.
func (l *loop) returnParser(c *conn) {
	p := c.parser
	c.parser = nil
	if p == nil {
		return
	}
	l.engine.uncountInbound(p)
	message := p.message[:0]
	if cap(message) > readSize {
		message = nil
	}
	*p = parser{message: message}
	l.parsers.put(p)
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

// countInbound counts the bytes that a parser keeps between turns, and reports whether the
// engine exceeds its bound.
func (e *Engine) countInbound(p *parser) bool {
	if n := cap(p.message) + p.rest.size - p.counted; n != 0 {
		p.counted += n
		return e.inbound.Add(int64(n)) > int64(e.cfg.MaxInbound) && n > 0
	}
	return false
}

// uncountInbound returns a parser's bytes to the engine's account.
func (e *Engine) uncountInbound(p *parser) {
	if p.counted != 0 {
		e.inbound.Add(-int64(p.counted))
		p.counted = 0
	}
}

// connSink takes one connection's messages from the parser.
type connSink struct {
	l   *loop
	c   *conn
	gen uint32
}

// open reports whether the connection still exists: closing it may have found it
// broken, and then its parser belongs to another one.
func (s *connSink) open() bool { return s.c.gen == s.gen }

func (s *connSink) wantsMessages() bool { return s.c.state == stateOpen }

func (s *connSink) exhausted() bool { return s.l.quantum <= 0 || s.l.engine.readsSuspended() }

func (s *connSink) message(op ws.OpCode, payload []byte) bool {
	s.l.quantum -= messageCost + len(payload)
	if s.c.state != stateOpen || !s.allow() {
		return s.open() // the server is closing: only the peer's close frame matters
	}
	s.l.counters.received++
	m := Message{Binary: op == ws.OpBinary, Payload: payload}
	if s.l.checkStall(); s.c.stalled {
		m.Stalled = s.l.stallLength
	}
	if !s.l.engine.callMessage(s.l.handle(s.c), s.c.session, m) {
		s.l.beginClose(s.c, ws.StatusInternalServerError, reasonInternalError)
	}
	return s.open()
}

func (s *connSink) control(op ws.OpCode, payload []byte) bool {
	c := s.c
	s.l.quantum -= messageCost
	if op != ws.OpClose && c.state == stateOpen && !s.allow() {
		return s.open()
	}
	switch op {
	case ws.OpPing:
		if c.state == stateOpen {
			s.l.send(c, newFrame(ws.OpPong, payload))
		}
	case ws.OpClose:
		s.l.beginFinish(c, readClose(payload))
		return false
	}
	return s.open()
}

func (s *connSink) fragmentBatch() bool {
	s.l.quantum -= messageCost
	if s.c.state == stateOpen {
		s.allow()
	}
	return s.open()
}

func (s *connSink) inflated(n int) { s.c.limiter.charge(n / inflatedBytesPerMessage) }

// allow uses one message of the client's budget, or closes it.
func (s *connSink) allow() bool {
	rate := s.l.engine.cfg.MessageRate
	if s.c.limiter.allow(rate, s.l.wheel.now) {
		return true
	}
	s.l.beginClose(s.c, ws.StatusPolicyViolation, tooManyMessages(rate))
	return false
}

const (
	// burstSeconds is how many seconds' worth of messages a quiet client may save up.
	burstSeconds = 10
	// inflatedBytesPerMessage is how many bytes of decompressed data count as one more
	// message.
	inflatedBytesPerMessage = 16 << 10
	// fragmentsPerMessage is how many fragments count as one more message.
	fragmentsPerMessage = 16
)

// rateLimiter bounds one client's messages: so many a second, and a burst.
type rateLimiter struct {
	tokens  int32
	updated tick
}

// maxTokens bounds what a client can save up, beyond any real rate.
func maxTokens(rate int) int64 { return min(int64(rate), math.MaxInt32/burstSeconds) * burstSeconds }

// full is the budget of a client that has just come.
func newRateLimiter(rate int, now tick) rateLimiter { return rateLimiter{int32(maxTokens(rate)), now} }

// allow uses one message of the budget. It is false when none is left.
func (b *rateLimiter) allow(rate int, now tick) bool {
	if now != b.updated {
		const ticksPerSecond = int64(second / tickLength)
		// Ten seconds fill the budget, so no product can overflow.
		earned := min(int64(now-b.updated), burstSeconds*ticksPerSecond) * (maxTokens(rate) / burstSeconds) / ticksPerSecond
		b.tokens = int32(min(int64(b.tokens)+earned, maxTokens(rate)))
		b.updated = now
	}
	if b.tokens <= 0 {
		return false
	}
	b.tokens--
	return true
}

// charge takes up to n messages from the budget. It stops at zero, so that one large
// message does not cost a slow client its next one.
func (b *rateLimiter) charge(n int) { b.tokens -= int32(min(int64(n), int64(max(b.tokens, 0)))) }

func tooManyMessages(rate int) string {
	return fmt.Sprintf("too many messages: more than %d a second", rate)
}
