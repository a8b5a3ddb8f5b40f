package engine

import (
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
	parser parser        // the reader's
	wake   chan struct{} // capacity 1: the writer has something to do

	// mu guards the following fields.
	mu      sync.Mutex
	state   state
	session any
	stream  *stream
	cursor  uint64  // the writer's place in the stream
	own     []Frame // what it alone is sent; it goes out before the stream
	bytes   int     // of own
	byPeer  bool    // the peer's close frame came
	pinged  bool    // and nothing was read since
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
	_ = p.socket.SetDeadline(time.Time{})
	p.open(welcome, answer)
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

// errLongHead is a request head over the limit.
var errLongHead = errors.New(longHead)

func rejectionOf(err error) []byte {
	var timeout net.Error
	switch {
	case err == errLongHead:
		return rejection(http.StatusRequestHeaderFieldsTooLarge, longHead)
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
		case end > 0:
			return buf[:end:end], buf[end:], nil
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

// open makes it a WebSocket connection whose first bytes are the answer.
func (p *peer) open(w Welcome, answer []byte) {
	p.mu.Lock()
	p.state, p.session = stateOpen, w.Session
	p.own, p.bytes = []Frame{answer}, len(answer)
	if w.Log != nil {
		p.stream = &w.Log.stream
		p.cursor = p.stream.follow()
	}
	p.mu.Unlock()
	p.gang.engine.open.Add(1)
	p.gang.engine.cfg.Handler.Open(p.handle(), w.Session)
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

// message and control make the peer the parser's sink.
func (p *peer) message(_ ws.OpCode, payload []byte) bool {
	p.mu.Lock()
	open, session := p.state == stateOpen, p.session
	p.mu.Unlock()
	if open {
		p.gang.engine.cfg.Handler.Message(p.handle(), session, payload)
	}
	return true
}

func (p *peer) control(op ws.OpCode, payload []byte) bool {
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

func (p *peer) close(_ int32, _ uint32, code ws.StatusCode, reason string) {
	p.beginClose(code, reason)
}

func (p *peer) send(f Frame) {
	p.mu.Lock()
	if p.state != stateOpen {
		p.mu.Unlock()
		return
	}
	p.own = append(p.own, f)
	p.bytes += len(f)
	tooMuch := p.bytes > maxOutbound
	p.mu.Unlock()
	if tooMuch {
		p.beginClose(ws.StatusPolicyViolation, tooSlow)
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
	head := p.state == stateHead
	p.mu.Unlock()
	if head {
		_ = p.socket.SetReadDeadline(time.Now())
		return
	}
	p.beginClose(ws.StatusGoingAway, reason)
}

// beginClose sends a close frame, and gives the peer time to answer it.
func (p *peer) beginClose(code ws.StatusCode, reason string) {
	if !p.leave(code, reason) {
		return
	}
	f := closeFrame(code, reason)
	p.mu.Lock()
	p.own, p.bytes = append(p.own[:0:0], f), len(f)
	p.mu.Unlock()
	_ = p.socket.SetDeadline(time.Now().Add(closeTimeout))
	p.poke()
}

// leave ends the connection's time as an open one, once.
func (p *peer) leave(code ws.StatusCode, reason string) bool {
	p.mu.Lock()
	if p.state != stateOpen {
		p.mu.Unlock()
		return false
	}
	p.state = stateClosing
	session, stream := p.session, p.stream
	p.session, p.stream = nil, nil
	p.mu.Unlock()
	if stream != nil {
		stream.unfollow()
	}
	p.gang.engine.open.Add(-1)
	p.gang.engine.cfg.Handler.Closed(p.handle(), session, int(code), reason)
	return true
}

// write sends what the connection has coming until its close frame is out.
func (p *peer) write() {
	var buf []byte
	ping := time.NewTimer(p.pingIn())
	defer ping.Stop()
	for {
		var news <-chan struct{}
		var last, behind bool
		buf, news, last, behind = p.gather(buf[:0])
		switch {
		case behind:
			p.beginClose(ws.StatusPolicyViolation, tooSlow)
		case len(buf) > 0:
			if !p.put(buf) || last {
				return
			}
		case last:
			return
		default:
			select {
			case <-p.wake:
			case <-news:
			case <-ping.C:
				ping.Reset(p.checkAlive())
			}
		}
	}
}

// gather collects what is to be written now, or a channel that tells when there
// is more. last says that nothing follows; behind, that the log went on without
// this client.
func (p *peer) gather(buf []byte) (_ []byte, news <-chan struct{}, last, behind bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.own {
		buf = append(buf, f...)
	}
	p.own, p.bytes = nil, 0
	if p.state != stateOpen {
		return buf, nil, true, false
	}
	if len(buf) == 0 && p.stream != nil {
		buf, p.cursor, news, behind = p.stream.next(buf, p.cursor)
	}
	return buf, news, false, behind
}

// checkBehind ends a connection whose cursor fell off the log.
func (p *peer) checkBehind() {
	p.mu.Lock()
	behind := p.stream != nil && p.stream.behind(p.cursor)
	p.mu.Unlock()
	if behind {
		p.beginClose(ws.StatusPolicyViolation, tooSlow)
	}
}

// put writes bytes. It is false when the socket takes no more.
func (p *peer) put(buf []byte) bool {
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
