//go:build unix

package engine

import "github.com/gobwas/ws"

// connSink takes one connection's messages from the parser.
type connSink struct {
	l   *loop
	c   *conn
	gen uint32
}

// alive reports whether the connection still exists: closing it may have found it
// broken, and then its parser belongs to another one.
func (s *connSink) alive() bool { return s.c.gen == s.gen && s.c.state != stateFree }

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
			s.l.send(c, control(ws.OpPong, payload))
		}
	case ws.OpClose:
		s.l.peerClose(c, payload)
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
