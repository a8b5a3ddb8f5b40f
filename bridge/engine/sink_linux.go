package engine

import "github.com/gobwas/ws"

// connSink takes one connection's messages from the parser.
type connSink struct {
	l *loop
	c *conn
}

func (s *connSink) wants() bool { return s.c.state == stateOpen }

func (s *connSink) message(op ws.OpCode, payload []byte) bool {
	if s.c.state != stateOpen {
		return true // we are closing: only the peer's close frame matters
	}
	if !s.withinRate() {
		return false
	}
	s.l.tally.received++
	s.l.engine.cfg.Handler.Message(s.l.handle(s.c), s.c.session, Message{Op: op, Payload: payload})
	return true
}

func (s *connSink) control(op ws.OpCode, payload []byte) bool {
	c := s.c
	gen := c.gen
	if op != ws.OpClose && c.state == stateOpen && !s.withinRate() {
		return false
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
	return c.gen == gen && c.state != stateFree
}

// withinRate uses one message of the client's budget, or closes it.
func (s *connSink) withinRate() bool {
	rate := s.l.engine.cfg.MessageRate
	if s.c.budget.take(rate, s.l.wheel.now) {
		return true
	}
	s.l.beginClose(s.c, ws.StatusPolicyViolation, tooManyMessages(rate))
	return false
}
