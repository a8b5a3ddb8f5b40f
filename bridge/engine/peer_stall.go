package engine

import (
	"errors"
	"net"
	"os"
	"time"
)

// freshAfter is how long a read must block for its bytes to count as new, on systems
// that do not report what waits in a socket.
const freshAfter = 5 * time.Millisecond

// waited returns the length of the stall during which the bytes just read may have
// waited in the socket; 0 once the socket was found empty.
func (p *peer) waited() time.Duration {
	s := &p.gang.engine.stalls
	if last := s.recent(); last.end > p.emptied {
		p.stood = last.length
	}
	p.noteLate()
	if last := s.last.Load(); p.began > 0 && last != nil && last.end > p.began {
		p.stood = last.length
	}
	return p.stood
}

// noteLate takes note of a stall that the heartbeat found.
func (p *peer) noteLate() {
	if found := p.late.Swap(nil); found != nil && found.end > p.emptied {
		p.stood = found.length
	}
}

// next reads the next bytes.
func (p *peer) next(buf []byte) (int, error) {
	p.noteLate() // it may have been no message
	if p.stood == 0 || !p.parser.idle() {
		return p.socket.Read(buf)
	}
	n, known := unread(p.socket)
	switch {
	case !known:
		asked := time.Now()
		n, err := p.socket.Read(buf)
		if time.Since(asked) > freshAfter {
			p.foundEmpty()
		}
		return n, err
	case n > 0:
		return p.socket.Read(buf)
	}
	if n, err := p.readAbove(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	p.foundEmpty()
	return p.socket.Read(buf)
}

func (p *peer) foundEmpty() { p.stood, p.emptied = 0, p.gang.engine.stalls.clock() }

// readAbove reads what a layer above an empty socket has buffered, as TLS reads ahead;
// without any it returns [os.ErrDeadlineExceeded].
func (p *peer) readAbove(buf []byte) (int, error) {
	p.mu.Lock()
	if p.state != stateOpen {
		p.mu.Unlock()
		return p.socket.Read(buf)
	}
	_ = p.socket.SetReadDeadline(time.Unix(1, 0))
	p.mu.Unlock()
	n, err := p.socket.Read(buf)
	p.mu.Lock()
	defer p.mu.Unlock()
	var deadline time.Time
	if p.state != stateOpen { // it began to close, which has a deadline of its own
		deadline = time.Now().Add(closeTimeout)
	}
	_ = p.socket.SetReadDeadline(deadline)
	return n, err
}

// noteBeginning notes when an incomplete message began.
func (p *peer) noteBeginning() {
	switch {
	case p.parser.idle():
		p.began = 0
	case p.began == 0:
		p.began = p.gang.engine.stalls.clock()
	}
}

// stoodStill marks the connections with input waiting in their sockets: their
// goroutines may read it much later.
func (g *gang) stoodStill(found *stall) {
	g.mu.Lock()
	peers := g.all()
	g.mu.Unlock()
	for _, p := range peers {
		if n, known := unread(p.socket); known && n > 0 {
			p.late.Store(found)
		}
	}
}

// below returns the innermost connection that another one wraps.
func below(conn net.Conn) net.Conn {
	for {
		w, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return conn
		}
		conn = w.NetConn()
	}
}
