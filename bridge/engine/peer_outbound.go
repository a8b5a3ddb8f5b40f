package engine

import (
	"time"

	"github.com/gobwas/ws"
)

// owe changes the ledger of the connections on goroutines, and has the engine enforce
// the bound.
func (g *gang) owe(change func(*ledger)) {
	if delta := g.ledger.change(change); delta != 0 {
		g.engine.outbound.Add(int64(delta))
		if delta > 0 {
			g.engine.checkOutbound()
		}
	}
}

// largest has the watch goroutine find the connection with the most queued bytes.
func (g *gang) largest(report func(Conn, int)) {
	g.chores <- func() {
		g.mu.Lock()
		peers := g.all()
		g.mu.Unlock()
		var debtor Conn
		most := 0
		for _, p := range peers {
			p.mu.Lock()
			if debt := p.debt(); debt > most {
				debtor, most = p.handle(), debt
			}
			p.mu.Unlock()
		}
		report(debtor, most)
	}
}

// shed closes a connection with too many queued bytes, on the watch goroutine, which
// may wait for a handler call.
func (p *peer) shed(_ int32, _ uint32, done func()) {
	p.gang.chores <- func() {
		p.mu.Lock()
		p.countSlow()
		p.mu.Unlock()
		if !p.beginClose(ws.StatusPolicyViolation, owesMost) {
			p.socket.Close()
		}
		done()
		p.gang.engine.checkOutbound()
	}
}

// debt is the bytes queued for the connection. mu is held.
func (p *peer) debt() int { return p.out.debt() + p.buffered }

// buffer notes how many bytes were copied and are being written. mu is held.
func (p *peer) buffer(n int) {
	if n != p.buffered {
		p.gang.engine.outbound.Add(int64(n - p.buffered))
		p.buffered = n
	}
}

// awaitRoom blocks the reader while the client does not take what it is sent: further
// answers would only be queued, too. If it blocks longer than a stall, the input in the
// socket is late.
func (p *peer) awaitRoom() {
	began := time.Now()
	p.mu.Lock()
	for p.backlogged() {
		room := await(&p.room)
		p.mu.Unlock()
		<-room
		p.mu.Lock()
	}
	p.mu.Unlock()
	if waited := time.Since(began); waited > p.gang.engine.stalls.after {
		p.stood = waited
	}
}

// backlogged is [loop.backlogged]. mu is held.
func (p *peer) backlogged() bool {
	debt := p.debt()
	return p.state == stateOpen && (debt > maxOutbound || debt > pauseAbove && time.Since(p.sent) > pauseAfter)
}
