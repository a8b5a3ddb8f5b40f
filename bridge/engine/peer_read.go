package engine

import (
	"time"

	"github.com/gobwas/ws"
)

// read hands the client's messages on until the connection ends. It is true
// when a close frame of ours is on its way out and nothing more is to be read.
func (p *peer) read(data []byte) bool {
	buf := make([]byte, 4096)
	for {
		if _, err := p.parser.feed(data, p.gang.engine.cfg.MaxMessage, p); err != nil {
			p.beginEnding(err.code, err.reason)
			return true
		}
		if p.closedByPeer() {
			return true
		}
		p.noteBeginning()
		if !p.parser.idle() {
			if p.gang.engine.hold(&p.parser) {
				p.beginClose(tryAgainLater, heldTooMuch)
				return true
			}
		} else if p.parser.held > 0 {
			p.gang.engine.release(&p.parser)
			p.parser.message = nil
		}
		p.awaitRoom()
		n, err := p.next(buf)
		if err != nil {
			p.leave(ws.StatusAbnormalClosure, hungUp)
			return false
		}
		data = buf[:n]
		p.heard()
	}
}

// closedByPeer reports whether the peer has closed and nothing more is to be read.
func (p *peer) closedByPeer() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ending != nil
}

// heard notes a sign of life.
func (p *peer) heard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pinged = false
}

// wants, turnOver, message, fragments, inflated and control make the peer the parser's
// sink. Its turn is never over: it has a goroutine of its own.
func (p *peer) wants() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state == stateOpen
}

func (p *peer) turnOver() bool { return false }

func (p *peer) fragments() bool {
	if p.wants() {
		p.withinRate()
	}
	return true
}

func (p *peer) inflated(n int) { p.budget.charge(n / inflatedPerMessage) }

func (p *peer) message(op ws.OpCode, payload []byte) bool {
	if !p.withinRate() {
		return true
	}
	p.calls.Lock()
	defer p.calls.Unlock()
	p.mu.Lock()
	open, session := p.state == stateOpen, p.session
	p.mu.Unlock()
	if open {
		p.gang.counts.add(tally{received: 1})
		if !p.gang.engine.message(p.handle(), session, Message{Binary: op == ws.OpBinary, Payload: payload, Stalled: p.waited()}) {
			p.ask(ws.StatusInternalServerError, failed)
			return false
		}
	}
	return true
}

// withinRate uses one message of the client's budget, or closes it.
func (p *peer) withinRate() bool {
	rate := p.gang.engine.cfg.MessageRate
	if p.budget.take(rate, p.gang.engine.now()) {
		return true
	}
	p.beginClose(ws.StatusPolicyViolation, tooManyMessages(rate))
	return false
}

func (p *peer) control(op ws.OpCode, payload []byte) bool {
	if op != ws.OpClose && !p.withinRate() {
		return true
	}
	switch op {
	case ws.OpPing:
		p.send(control(ws.OpPong, payload))
	case ws.OpClose:
		p.peerClose(payload)
		return false
	}
	return true
}

func (p *peer) peerClose(payload []byte) {
	code, reason, wrong := readClose(payload)
	if wrong != nil {
		code, reason = wrong.code, wrong.reason
	}
	p.beginEnding(code, reason)
}

// beginEnding waits for the handler's answers to earlier messages.
func (p *peer) beginEnding(code ws.StatusCode, reason string) {
	p.calls.Lock()
	defer p.calls.Unlock()
	p.mu.Lock()
	open, session := p.state == stateOpen, p.session
	p.ending, p.endBy = &closeError{code, reason}, time.Now().Add(answerTimeout)
	p.mu.Unlock()
	if open {
		if !p.gang.engine.ending(p.handle(), session) {
			p.ask(ws.StatusInternalServerError, failed)
		}
	}
}
