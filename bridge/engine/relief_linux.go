package engine

import "github.com/gobwas/ws"

// owe counts what waits for a connection that could not be written at once.
func (l *loop) owe(c *conn) {
	if c.out != nil {
		c.out.enter(&l.ledger)
	}
}

// settle tells the engine what waits for the loop's connections, and has it see to it
// that it is not too much.
func (l *loop) settle() {
	e := l.engine
	if delta := l.ledger.bytes - l.owedTold; delta != 0 {
		l.owedTold = l.ledger.bytes
		e.outbound.Add(int64(delta))
	}
	e.relieve()
}

// worst gives the connection for which most waits.
func (l *loop) worst(report func(Conn, int)) {
	l.mail.post(func() {
		var debtor Conn
		most := 0
		l.conns.each(func(c *conn) {
			if c.out == nil {
				return
			}
			if debt := c.out.debt(); debt > most {
				debtor, most = l.handle(c), debt
			}
		})
		report(debtor, most)
	})
}

// shed closes a connection for which too much waits: at once, if it has a frame half
// written that its close frame would have to wait for, and is closing already.
func (l *loop) shed(slot int32, gen uint32, done func()) {
	l.mail.post(func() {
		defer done()
		switch c := l.lookup(slot, gen); {
		case c == nil:
		case c.state == stateOpen:
			l.engine.slow.Add(1)
			l.beginClose(c, ws.StatusPolicyViolation, owesMost)
		default:
			l.drop(c, ws.StatusAbnormalClosure, owesMost)
		}
	})
}
