package engine

import "github.com/gobwas/ws"

// connSink takes one connection's messages from the parser.
type connSink struct {
	l   *loop
	c   *conn
	gen uint32
}

// open reports whether the connection still exists: writing to it may have found it broken,
// and then its parser belongs to another one.
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
	if s.l.checkPause(); s.c.late {
		m.Late = s.l.pauseLength
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

// allow takes a token from the client's rate limiter, or closes the connection.
func (s *connSink) allow() bool {
	rate := s.l.engine.cfg.MessageRate
	if s.c.limiter.allow(rate, s.l.wheel.now) {
		return true
	}
	s.l.beginClose(s.c, ws.StatusPolicyViolation, tooManyMessages(rate))
	return false
}
