package engine

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// peer is a connection on goroutines: serve reads, and write writes.
type peer struct {
	gang   *gang
	socket net.Conn
	in     incoming      // until its request is accepted
	budget budget        // the reader's
	parser parser        // the reader's
	wake   chan struct{} // capacity 1: the writer has something to do

	// The following fields are the reader's; times are by the clock of stalls.
	stood   time.Duration // for how long the process stood still while input waited
	emptied time.Duration // when the socket was found empty after that
	began   time.Duration // when a message began that is not whole yet; 0 for none

	late atomic.Pointer[stall] // set by the heart: then input waited in the socket

	// calls keeps calls of the handler's about this connection apart.
	calls sync.Mutex

	// mu guards the following fields.
	mu       sync.Mutex
	state    state
	session  any
	stream   *stream
	cursor   uint64        // the writer's place in the stream
	out      outbound      // what it alone is sent; it goes out before the stream
	lent     time.Time     // when it was lent frames and had none
	writing  int           // cost of the lent frames that were copied and are being written
	inHand   bool          // the first of out is being written in place
	buffered int           // bytes copied and being written
	room     chan struct{} // closed when the writer proceeds; nil without a waiter
	asked    *closeError   // somebody asked the writer to close
	doomed   string        // the server stops, for this reason
	ending   *closeError   // how it ends once earlier messages are answered
	endBy    time.Time     // deadline of that
	pinged   bool          // and nothing was read since
	slow     bool          // it was counted among those that are too slow
	sent     time.Time
}

func newPeer(g *gang, socket net.Conn) *peer {
	return &peer{gang: g, socket: socket, wake: make(chan struct{}, 1), state: stateHead, sent: time.Now()}
}

func (p *peer) owner() *Engine { return p.gang.engine }

func (p *peer) handle() Conn { return Conn{on: p} }

// serve reads the request and what follows it, until the connection ends.
func (p *peer) serve() {
	_ = p.socket.SetDeadline(time.Now().Add(p.gang.engine.cfg.HeadTimeout))
	r, rest, no, err := p.readHead()
	if err != nil {
		p.reportBroken(err)
		p.socket.Close()
		return
	}
	var answer []byte
	var welcome Welcome
	if no == nil {
		answer, welcome, no = p.gang.engine.receive(&p.in, r)
	}
	switch {
	case no != nil:
		p.refuse(no)
		return
	case answer == nil:
		_ = p.socket.SetDeadline(time.Time{})
		if !p.gang.engine.handoff.give(p.socket, r, rest) {
			p.reject(busy)
		}
		return
	}
	n, err := p.socket.Write(answer)
	p.gang.counts.add(tally{bytes: uint64(n)})
	if err != nil {
		p.socket.Close()
		return
	}
	_ = p.socket.SetDeadline(time.Time{})
	p.budget = fullBudget(p.gang.engine.cfg.MessageRate, p.gang.engine.now())
	defer p.gang.engine.release(&p.parser)
	if reason := p.open(welcome); reason != "" {
		p.reject(closeFrame(ws.StatusGoingAway, reason))
		return
	}
	var writer sync.WaitGroup
	writer.Go(p.write)
	if p.read(rest) {
		writer.Wait() // our close frame goes out first
		p.linger()
	}
	p.socket.Close()
	p.poke()
	writer.Wait()
}

// open makes it a WebSocket connection, unless it is told to go away; then the
// reason is given.
func (p *peer) open(w Welcome) (goAway string) {
	p.mu.Lock()
	if p.doomed != "" {
		defer p.mu.Unlock()
		return p.doomed
	}
	p.state, p.session = stateOpen, w.Session
	if w.deflate {
		p.parser.deflate = p.gang.engine.deflate
	}
	if w.Log != nil {
		p.stream = &w.Log.stream
		p.stream.follow()
		p.cursor = w.Log.next()
	}
	p.mu.Unlock()
	p.gang.engine.open.Add(1)
	p.gang.counts.add(tally{accepted: 1})
	p.calls.Lock()
	defer p.calls.Unlock()
	if !p.gang.engine.opened(p.handle(), w.Session) {
		p.ask(ws.StatusInternalServerError, failed)
	}
	return ""
}

// sendTo, close and send make the peer a carrier.
func (p *peer) sendTo(_ int32, _ uint32, f Frame) { p.send(f) }

func (p *peer) close(_ int32, _ uint32, code ws.StatusCode, reason string) { p.ask(code, reason) }

// finish is [Conn.Finish] for a connection on goroutines.
func (p *peer) finish(int32, uint32) {
	p.mu.Lock()
	ending := p.ending
	p.mu.Unlock()
	if ending != nil {
		p.ask(ending.code, ending.reason)
	}
}

// ask has the writer close: the caller may be in a call of the handler's, and
// Closed must not come within another. It is false when that was asked before.
func (p *peer) ask(code ws.StatusCode, reason string) bool {
	p.mu.Lock()
	first := p.asked == nil
	if first {
		p.asked = &closeError{code, reason}
	}
	p.mu.Unlock()
	p.poke()
	return first
}

func (p *peer) send(f Frame) {
	p.mu.Lock()
	if p.state != stateOpen || p.asked != nil {
		p.mu.Unlock()
		return
	}
	p.out.send(f)
	p.gang.owe(p.out.enter)
	tooMuch := p.out.waiting > maxOutbound
	if tooMuch {
		p.countSlow()
	}
	p.mu.Unlock()
	if tooMuch {
		p.ask(ws.StatusPolicyViolation, tooSlow)
	}
	p.poke()
}

// countSlow counts the connection as too slow, before Closed is called, which
// may look. mu is held.
func (p *peer) countSlow() {
	if p.state == stateOpen && !p.slow {
		p.slow = true
		p.gang.engine.slow.Add(1)
	}
}

func (p *peer) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// goAway ends the connection, whatever its state, because the server stops.
func (p *peer) goAway(reason string) {
	p.mu.Lock()
	p.doomed = reason
	head := p.state == stateHead || p.state == stateRejected
	p.mu.Unlock()
	if head {
		_ = p.socket.SetReadDeadline(time.Now())
	}
	p.ask(ws.StatusGoingAway, reason)
}

// beginClose sends a close frame, and gives the peer time to answer it. It is
// false when the connection is not open.
func (p *peer) beginClose(code ws.StatusCode, reason string) bool {
	if !p.end(code, reason, closeFrame(code, reason)) {
		return false
	}
	_ = p.socket.SetDeadline(time.Now().Add(closeTimeout))
	p.poke()
	return true
}

// leave ends a connection that is broken: no close frame would get through.
func (p *peer) leave(code ws.StatusCode, reason string) { p.end(code, reason) }

// end ends the connection's time as an open one, once. What is last goes out in
// place of all that waits.
func (p *peer) end(code ws.StatusCode, reason string, last ...Frame) bool {
	p.mu.Lock()
	if p.state != stateOpen {
		p.mu.Unlock()
		return false
	}
	p.state = stateClosing
	p.gang.owe(p.out.forget)
	p.inHand = false
	signal(&p.room)
	for _, f := range last {
		p.out.send(f)
	}
	session, stream := p.session, p.stream
	p.session, p.stream = nil, nil
	p.mu.Unlock()
	if stream != nil {
		stream.unfollow()
	}
	p.gang.engine.open.Add(-1)
	p.calls.Lock()
	defer p.calls.Unlock()
	p.gang.engine.closed(p.handle(), session, int(code), reason)
	return true
}
