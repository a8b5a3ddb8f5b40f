package engine

import (
	"errors"
	"net"
	"os"
	"time"
)

// freshAfter is how long a read must take for its bytes to have come meanwhile, where
// the system does not tell what waits in a socket.
const freshAfter = 5 * time.Millisecond

// waited is for how long the process stood still while what was just read may have
// waited in the socket: until that was found empty once.
func (p *peer) waited() time.Duration {
	s := &p.gang.engine.stalls
	if last := s.recent(); last.end > p.emptied {
		p.stood = last.length
	}
	if stood := p.late.Swap(0); stood > 0 {
		p.stood = time.Duration(stood)
	}
	if last := s.last.Load(); p.began > 0 && last != nil && last.end > p.began {
		p.stood = last.length
	}
	return p.stood
}

// next reads what comes next.
func (p *peer) next(buf []byte) (int, error) {
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

// readAbove reads what lies above an empty socket, as TLS reads ahead; without any it
// gives [os.ErrDeadlineExceeded].
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
	if p.state != stateOpen { // it is being closed since, which has a deadline
		deadline = time.Now().Add(closeTimeout)
	}
	_ = p.socket.SetReadDeadline(deadline)
	return n, err
}

// noteBeginning notes when a message began that is not whole yet.
func (p *peer) noteBeginning() {
	switch {
	case p.parser.idle():
		p.began = 0
	case p.began == 0:
		p.began = p.gang.engine.stalls.clock()
	}
}

// stoodStill marks the connections that have something waiting in their sockets: their
// goroutines may be long in coming to it.
func (g *gang) stoodStill(length time.Duration) {
	g.mu.Lock()
	peers := g.all()
	g.mu.Unlock()
	for _, p := range peers {
		if n, known := unread(p.socket); known && n > 0 {
			p.late.Store(int64(length))
		}
	}
}

// below is the connection that another one wraps, down to the system's own.
func below(conn net.Conn) net.Conn {
	for {
		w, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return conn
		}
		conn = w.NetConn()
	}
}
