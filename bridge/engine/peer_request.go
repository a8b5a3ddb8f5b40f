package engine

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/clu-ws/clu-ws/bridge/proxyproto"
)

// readHead reads a request head and the bytes behind it. After an error no answer is
// due.
func (p *peer) readHead() (r *Request, rest []byte, no *Refusal, _ error) {
	buf := make([]byte, 0, 2048)
	r = new(Request)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := p.socket.Read(buf[len(buf):cap(buf)])
		if n > 0 && len(buf) == 0 && p.in.readsProxy {
			p.in.client = p.remoteAddr()
		}
		buf = buf[:len(buf)+n]
		rest, whole, no := p.gang.engine.examine(&p.in, r, buf)
		var timeout net.Error
		switch {
		case no != nil || whole:
			return r, rest, no, nil
		case err == nil:
		case len(buf) > 0 && errors.As(err, &timeout) && timeout.Timeout():
			return r, nil, p.outOfTime(), nil
		default:
			// No answer: a browser would take it for the answer to its next request on
			// a preconnected socket.
			return nil, nil, nil, err
		}
	}
}

// reportBroken reports a connection that does not speak the port's protocol. Its
// listener has answered it if possible.
func (p *peer) reportBroken(err error) {
	no := &Refusal{Status: http.StatusBadRequest, Reason: err.Error()}
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, proxyproto.ErrMissing), errors.Is(err, proxyproto.ErrMalformed):
		no.Kind = KindProxyLine
	case !errors.As(err, &record):
		return
	case proxyproto.MayBegin(record.RecordHeader[:]):
		no = p.gang.engine.unexpectedProxy()
	default:
		no.Kind = KindNoTLS
	}
	p.gang.engine.reportRefusal(no, p.remoteAddr())
}

// outOfTime returns why a request is not waited for any longer.
func (p *peer) outOfTime() *Refusal {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.doomed != "" {
		return stopping(p.doomed)
	}
	return slowHead()
}

// refuse answers a request with a status and a reason, and closes the connection.
func (p *peer) refuse(no *Refusal) {
	p.gang.engine.reportRefusal(no, p.in.client)
	p.reject(no.answer())
}

// evict ends a connection whose place a new one took.
func (p *peer) evict(int32, uint32) {
	p.mu.Lock()
	first := p.state == stateHead // else it was refused before
	p.mu.Unlock()
	if e := p.gang.engine; first {
		e.reportRefusal(e.limiter.noRoom(&p.in), p.remoteAddr())
	}
	p.socket.Close()
}

// reject answers a request that becomes no WebSocket, and hangs up.
func (p *peer) reject(answer []byte) {
	p.mu.Lock()
	if p.state == stateHead {
		p.state = stateRejected
	}
	p.mu.Unlock()
	_ = p.socket.SetDeadline(time.Now().Add(lingerTimeout))
	if len(answer) > 0 {
		n, err := p.socket.Write(answer)
		p.gang.counts.add(tally{bytes: uint64(n)})
		if err == nil {
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
