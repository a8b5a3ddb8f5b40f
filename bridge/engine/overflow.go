package engine

import "github.com/gobwas/ws"

// owe enters the frames of a connection that could not be written at once into the
// ledger.
func (l *loop) owe(c *conn) {
	if c.out != nil {
		c.out.enter(&l.ledger)
	}
}

// settle reports the loop's queued bytes to the engine. Beyond Limits.MaxOutbound the
// connection with the most is closed. The next one follows in a later turn if the bound
// is still exceeded.
func (l *loop) settle() {
	e := l.engine
	if delta := l.ledger.bytes - l.reported; delta != 0 {
		l.reported = l.ledger.bytes
		e.outbound.Add(int64(delta))
	}
	if e.exceedsOutbound() && e.shedding.CompareAndSwap(false, true) {
		e.running.Go(e.shed)
	}
}

func (e *Engine) exceedsOutbound() bool { return e.outbound.Load() > int64(e.cfg.MaxOutbound) }

// shed closes the connection with the most queued bytes. One that is closing already is
// dropped: its close frame may wait behind a half-written frame.
func (e *Engine) shed() {
	defer e.shedding.Store(false)
	var debtor Conn
	most := 0
	for _, l := range e.loops {
		l.ask(func() {
			l.conns.each(func(c *conn) {
				if c.out != nil && c.out.debt() > most {
					debtor, most = l.handle(c), c.out.debt()
				}
			})
		})
	}
	if most == 0 || !e.exceedsOutbound() {
		return
	}
	debtor.on.ask(func() {
		l := debtor.on
		switch c := l.lookup(debtor.connRef); {
		case c == nil:
		case c.state == stateOpen:
			e.slow.Add(1)
			l.beginClose(c, ws.StatusPolicyViolation, owesMost)
		default:
			l.drop(c, ws.StatusAbnormalClosure, owesMost)
		}
	})
}
