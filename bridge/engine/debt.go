//go:build unix

package engine

import "github.com/gobwas/ws"

// owe enters the frames of a connection that could not be written at once into the
// ledger.
func (l *loop) owe(c *conn) {
	if c.out != nil {
		c.out.enter(&l.ledger)
	}
}

// settle reports the loop's queued bytes to the engine and enforces the bound.
func (l *loop) settle() {
	e := l.engine
	if delta := l.ledger.bytes - l.reported; delta != 0 {
		l.reported = l.ledger.bytes
		e.outbound.Add(int64(delta))
	}
	e.checkOutbound()
}

// largest reports the connection with the most queued bytes.
func (l *loop) largest(report func(Conn, int)) {
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

// shed closes a connection with too many queued bytes. One that is closing already is
// dropped: its close frame may wait behind a half-written frame.
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
