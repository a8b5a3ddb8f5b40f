package engine

import (
	"time"

	"github.com/gobwas/ws"
)

// owe changes what waits for connections on goroutines in the ledger, and has the
// engine see to it that it is not too much.
func (g *gang) owe(change func(*ledger)) {
	if delta := g.ledger.change(change); delta != 0 {
		g.engine.outbound.Add(int64(delta))
		if delta > 0 {
			g.engine.relieve()
		}
	}
}

// worst has the watch look for the connection for which most waits.
func (g *gang) worst(report func(Conn, int)) {
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

// shed closes a connection for which too much waits. The watch does it, which may wait
// for a call of the handler's.
func (p *peer) shed(_ int32, _ uint32, done func()) {
	p.gang.chores <- func() {
		p.mu.Lock()
		p.countSlow()
		p.mu.Unlock()
		if !p.beginClose(ws.StatusPolicyViolation, owesMost) {
			p.socket.Close()
		}
		done()
		p.gang.engine.relieve()
	}
}

// debt is what waits for the connection, in bytes. mu is held.
func (p *peer) debt() int { return p.out.debt() + p.buffered }

// buffer notes how many bytes are copied for the connection and being written. mu is held.
func (p *peer) buffer(n int) {
	if n != p.buffered {
		p.gang.engine.outbound.Add(int64(n - p.buffered))
		p.buffered = n
	}
}

// awaitRoom does not return while the client does not take what it is sent: what it
// asks for would only wait, too. It notes when that was for so long that what waits in
// the socket is late.
func (p *peer) awaitRoom() {
	began := time.Now()
	p.mu.Lock()
	for p.mute() {
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

// mute is [loop.deaf]. mu is held.
func (p *peer) mute() bool {
	debt := p.debt()
	return p.state == stateOpen && (debt > maxOutbound || debt > muteAbove && time.Since(p.sent) > muteTime)
}
