package engine

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"
)

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
