package engine

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// writeTimeout is how long a socket may refuse what a connection is sent.
const writeTimeout = 30 * time.Second

// peer is a connection on goroutines: serve reads, and write writes.
type peer struct {
	gang   *gang
	socket net.Conn
	budget budget        // the reader's
	parser parser        // the reader's
	wake   chan struct{} // capacity 1: the writer has something to do

	// calls keeps calls of the handler's about this connection apart.
	calls sync.Mutex

	// mu guards the following fields.
	mu      sync.Mutex
	state   state
	session any
	stream  *stream
	cursor  uint64      // the writer's place in the stream
	own     []Frame     // what it alone is sent; it goes out before the stream
	waiting int         // cost of own behind the first
	asked   *closeError // somebody asked the writer to close
	doomed  string      // the server stops, for this reason
	byPeer  bool        // the peer's close frame came
	pinged  bool        // and nothing was read since
	sent    time.Time
}

func newPeer(g *gang, socket net.Conn) *peer {
	return &peer{gang: g, socket: socket, wake: make(chan struct{}, 1), state: stateHead, sent: time.Now()}
}

func (p *peer) handle() Conn { return Conn{on: p} }

// serve reads the request and what follows it, until the connection ends.
func (p *peer) serve() {
	_ = p.socket.SetDeadline(time.Now().Add(p.gang.engine.cfg.HeadTimeout))
	head, rest, err := p.readHead()
	if err != nil {
		p.reject(rejectionOf(err))
		return
	}
	if !wantsWebSocket(head) {
		_ = p.socket.SetDeadline(time.Time{})
		if !p.gang.engine.handoff.give(p.socket, append(head, rest...)) {
			p.reject(busy)
		}
		return
	}
	answer, welcome, ok := p.gang.engine.negotiate(head, p.remoteAddr)
	if !ok {
		p.reject(answer)
		return
	}
	if _, err := p.socket.Write(answer); err != nil {
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

// What may be wrong with a request head.
var (
	errLongHead = errors.New(longHead)
	errBadLines = errors.New(badLines)
	errNoHead   = errors.New("the client sent nothing")
)

func rejectionOf(err error) []byte {
	var timeout net.Error
	switch {
	case err == errLongHead:
		return rejection(http.StatusRequestHeaderFieldsTooLarge, longHead)
	case err == errBadLines:
		return rejection(http.StatusBadRequest, badLines)
	case errors.As(err, &timeout) && timeout.Timeout():
		return rejection(http.StatusRequestTimeout, slowRequest)
	}
	return nil
}

// readHead reads a request head and what lies behind it in the same bytes.
func (p *peer) readHead() (head, rest []byte, err error) {
	buf := make([]byte, 0, 2048)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := p.socket.Read(buf[len(buf):cap(buf)])
		from := max(0, len(buf)-3)
		buf = buf[:len(buf)+n]
		end := headEnd(buf, from)
		switch {
		case p.gang.engine.headTooLong(end, len(buf)):
			return nil, nil, errLongHead
		case bareLF(buf[:cmp.Or(end, len(buf))]):
			return nil, nil, errBadLines
		case end > 0:
			return buf[:end:end], buf[end:], nil
		case err != nil && len(buf) == 0:
			// A browser's spare connection: an answer would be taken for that to
			// its next request.
			return nil, nil, errNoHead
		case err != nil:
			return nil, nil, err
		}
	}
}

// reject answers a request that becomes no WebSocket, and hangs up.
func (p *peer) reject(answer []byte) {
	_ = p.socket.SetDeadline(time.Now().Add(lingerTimeout))
	if len(answer) > 0 {
		if _, err := p.socket.Write(answer); err == nil {
			p.linger()
		}
	}
	p.socket.Close()
}

// linger lets the peer read our last bytes: closing with input unread would be
// a reset, which discards them.
func (p *peer) linger() {
	half, ok := p.socket.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = p.socket.SetReadDeadline(time.Now().Add(lingerTimeout))
	var discard [512]byte
	for {
		if _, err := p.socket.Read(discard[:]); err != nil {
			return
		}
	}
}

func (p *peer) remoteAddr() netip.AddrPort {
	if tcp, ok := p.socket.RemoteAddr().(*net.TCPAddr); ok {
		addr := tcp.AddrPort()
		return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	}
	return netip.AddrPort{}
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
		p.cursor = p.stream.follow()
	}
	p.mu.Unlock()
	p.gang.engine.open.Add(1)
	p.calls.Lock()
	defer p.calls.Unlock()
	p.gang.engine.cfg.Handler.Open(p.handle(), w.Session)
	return ""
}

// read hands the client's messages on until the connection ends. It is true
// when a close frame of ours is on its way out and nothing more is to be read.
func (p *peer) read(data []byte) bool {
	buf := make([]byte, 4096)
	for {
		if err := p.parser.feed(data, p.gang.engine.cfg.MaxMessage, p); err != nil {
			p.beginClose(err.code, err.reason)
			return true
		}
		if p.closedByPeer() {
			return true
		}
		if !p.parser.idle() {
			if p.gang.engine.hold(&p.parser) {
				p.beginClose(tryAgainLater, heldTooMuch)
				return true
			}
		} else if p.parser.held > 0 {
			p.gang.engine.release(&p.parser)
			p.parser.message = nil
		}
		n, err := p.socket.Read(buf)
		if err != nil {
			p.leave(ws.StatusAbnormalClosure, hungUp)
			return false
		}
		data = buf[:n]
		p.heard()
	}
}

func (p *peer) closedByPeer() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byPeer
}

// heard notes a sign of life.
func (p *peer) heard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pinged = false
}

// wants, message and control make the peer the parser's sink.
func (p *peer) wants() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state == stateOpen
}

func (p *peer) message(_ ws.OpCode, payload []byte) bool {
	if !p.withinRate() {
		return true
	}
	p.calls.Lock()
	defer p.calls.Unlock()
	p.mu.Lock()
	open, session := p.state == stateOpen, p.session
	p.mu.Unlock()
	if open {
		p.gang.engine.cfg.Handler.Message(p.handle(), session, payload)
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
	p.mu.Lock()
	p.byPeer = true
	p.mu.Unlock()
	p.beginClose(code, reason)
}

// sendTo, close and send make the peer a carrier.
func (p *peer) sendTo(_ int32, _ uint32, f Frame) { p.send(f) }

func (p *peer) close(_ int32, _ uint32, code ws.StatusCode, reason string) { p.ask(code, reason) }

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
	p.own = append(p.own, f)
	if len(p.own) > 1 {
		p.waiting += len(f) + frameCost
	}
	tooMuch := p.waiting > maxOutbound
	p.mu.Unlock()
	if tooMuch {
		p.ask(ws.StatusPolicyViolation, tooSlow)
	}
	p.poke()
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
	head := p.state == stateHead
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
	p.own, p.waiting = last, 0
	session, stream := p.session, p.stream
	p.session, p.stream = nil, nil
	p.mu.Unlock()
	if stream != nil {
		stream.unfollow()
	}
	p.gang.engine.open.Add(-1)
	p.calls.Lock()
	defer p.calls.Unlock()
	p.gang.engine.cfg.Handler.Closed(p.handle(), session, int(code), reason)
	return true
}

// buffers are for joining what is written. A connection borrows one while it
// has something to write.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// write sends what the connection has coming until its close frame is out.
func (p *peer) write() {
	ping := time.NewTimer(p.pingIn())
	defer ping.Stop()
	for {
		buf := buffers.Get().(*[]byte)
		g := p.gather((*buf)[:0])
		written := p.put(g.bytes)
		if *buf = g.bytes; cap(*buf) <= 2*chunk {
			buffers.Put(buf)
		}
		switch {
		case !written || g.last:
			return
		case g.behind:
			p.fellOff()
		case g.asked != nil:
			p.beginClose(g.asked.code, g.asked.reason)
		case len(g.bytes) > 0:
		default:
			select {
			case <-p.wake:
			case <-g.news:
			case <-ping.C:
				ping.Reset(p.checkAlive())
			}
		}
	}
}

// gathered is what a connection has to do next.
type gathered struct {
	bytes  []byte          // to write
	news   <-chan struct{} // tells when there is more
	asked  *closeError     // somebody asked to close
	behind bool            // the log went on without this client
	last   bool            // nothing follows
}

func (p *peer) gather(buf []byte) (g gathered) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.own {
		buf = append(buf, f...)
	}
	p.own, p.waiting = nil, 0
	g.bytes = buf
	switch {
	case p.state != stateOpen:
		g.last = true
	case p.asked != nil:
		g.asked = p.asked
	case len(buf) == 0 && p.stream != nil:
		g.bytes, p.cursor, g.news, g.behind = p.stream.next(buf, p.cursor)
	}
	return g
}

// unstick does what the writer cannot do while it is stuck in a write: it ends
// a connection that is asked to close, or whose cursor fell off the log.
func (p *peer) unstick() {
	p.mu.Lock()
	asked := p.asked
	behind := p.stream != nil && p.stream.behind(p.cursor)
	p.mu.Unlock()
	switch {
	case asked != nil:
		p.beginClose(asked.code, asked.reason)
	case behind && p.gang.engine.cfg.Skip == nil:
		p.fellOff()
	}
}

// tooSlow ends a connection that does not read what it is sent.
func (p *peer) tooSlow() {
	p.mu.Lock()
	if p.state == stateOpen {
		p.gang.engine.slow.Add(1) // before Closed is called, which may look
	}
	p.mu.Unlock()
	p.beginClose(ws.StatusPolicyViolation, tooSlow)
}

// fellOff deals with a connection whose next frame its log no longer has. Only
// the writer may skip: the cursor is its own.
func (p *peer) fellOff() {
	e := p.gang.engine
	if e.cfg.Skip == nil {
		p.tooSlow()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stream == nil {
		return
	}
	var missed uint64
	p.cursor, missed = p.stream.catchUp(p.cursor)
	e.skips.Add(1)
	if notice := e.cfg.Skip(p.session, missed); notice != nil {
		p.own = append(p.own, notice)
	}
}

// put writes bytes. It is false when the socket takes no more.
func (p *peer) put(buf []byte) bool {
	if len(buf) == 0 {
		return true
	}
	p.mu.Lock()
	p.sent = time.Now()
	if p.state == stateOpen {
		_ = p.socket.SetWriteDeadline(p.sent.Add(writeTimeout))
	}
	p.mu.Unlock()
	if _, err := p.socket.Write(buf); err != nil {
		p.leave(ws.StatusPolicyViolation, tooSlow)
		p.socket.Close()
		return false
	}
	return true
}

// checkAlive pings a connection that nothing was sent to for a while, closes
// one that did not answer, and says when to look again.
func (p *peer) checkAlive() time.Duration {
	cfg := &p.gang.engine.cfg
	p.mu.Lock()
	pinged, quiet := p.pinged, time.Since(p.sent)
	p.pinged = pinged || quiet >= cfg.PingAfter
	now := p.pinged
	p.mu.Unlock()
	switch {
	case pinged:
		p.beginClose(ws.StatusPolicyViolation, "no answer to a ping for "+cfg.PongTimeout.String())
		return time.Hour
	case now:
		p.send(control(ws.OpPing, nil))
		return cfg.PongTimeout
	}
	return p.pingIn()
}

// pingIn spreads pings over 1.25 times the interval behind the earliest moment.
func (p *peer) pingIn() time.Duration {
	after := p.gang.engine.cfg.PingAfter
	return after + rand.N(after*5/4+1)
}
