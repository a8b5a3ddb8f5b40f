package engine

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/proxyproto"
)

// receive handles ciphertext that came from a socket.
func (l *loop) receive(c *conn, data []byte) {
	switch s := c.tls; {
	case s.shake != nil:
		s.shake.feed(data)
	case s.done:
		l.decrypt(c, data)
	case c.state == stateHead:
		if s.in.data = append(s.in.data, data...); l.holdInput(c) {
			l.readHello(c)
			return
		}
		l.engine.reportRefusal(full(heldTooMuch), c.head.client)
		l.drop(c, 0, "")
	}
}

// full reports whether input must stay in the socket for now.
func (s *secure) full() bool { return s != nil && s.shake != nil && s.shake.full() }

// more reports whether there is something to decrypt.
func (s *secure) more() bool { return s != nil && s.done && s.in.ready() }

// readHello collects what comes before TLS and the ClientHello. Until that is whole, a
// client holds nothing but these bytes and its place.
func (l *loop) readHello(c *conn) {
	in, s := c.head, c.tls
	if in.expectProxy {
		n, no := in.readProxy(s.in.data)
		switch {
		case no != nil:
			l.refusePlain(c, no)
			return
		case in.expectProxy:
			return
		}
		s.in.data = s.in.data[n:]
	}
	data := s.in.data
	switch {
	case len(data) == 0:
		return
	case !looksLikeTLS(data):
		if len(data) >= recordHeader {
			l.refusePlain(c, l.engine.notTLS(data[:recordHeader]))
		}
		return
	}
	end, enough := helloEnd(data)
	if !enough {
		return
	}
	s.conn = tls.Server((*memory)(s), in.options.TLS)
	s.shake = newHandshake(l, c)
	s.shake.in.data = splitHello(data, end)
	s.in = records{}
	l.engine.handshakes.begin(s.shake)
}

// notTLS returns why bytes are refused on a port that speaks TLS.
func (e *Engine) notTLS(data []byte) *RejectError {
	if proxyproto.MayHaveSignature(data) {
		return e.unexpectedProxy()
	}
	return &RejectError{Status: http.StatusBadRequest, Kind: KindNoTLS, Reason: "this port speaks TLS: use https:// or wss://"}
}

// refusePlain answers in the clear what does not speak TLS. What does is not answered:
// it would understand nothing but an alert.
func (l *loop) refusePlain(c *conn, no *RejectError) {
	data := c.tls.in.data
	if looksLikeTLS(data) {
		l.engine.reportRefusal(no, c.head.client)
		l.drop(c, 0, "")
		return
	}
	l.forgetTLS(c)
	c.tls = nil
	l.refuse(c, no)
}

// sendShake sends what a handshake has to say.
func (l *loop) sendShake(c *conn, h *handshake) {
	if l.sendSealed(c, h.take()) {
		l.readLater(c) // perhaps input was left in the socket
	}
}

// shaken goes on when a handshake has ended.
func (l *loop) shaken(c *conn, h *handshake, err error) {
	s := c.tls
	l.engine.hellos.Add(-int64(s.held))
	s.shake, s.done, s.held = nil, err == nil, 0
	s.in = records{bytes.Clone(h.in.data), h.in.left}
	if !l.sendSealed(c, h.take()) {
		return
	}
	if err == nil {
		l.work = clientWork
		l.decrypt(c, nil)
		if (h.paused || h.eof) && c.gen == h.of.gen {
			l.readLater(c)
		}
		return
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		no := &RejectError{Status: http.StatusBadRequest, Kind: KindNoTLS, Reason: record.Error()}
		l.engine.reportRefusal(no, c.head.client)
	}
	l.reject(c, nil) // the client must be able to read the alert
	if h.paused {
		l.readLater(c)
	}
	if c.out == nil {
		l.flushed(c)
	}
}

// relieve ends a handshake whose client is slow: others wait for their turn.
func (l *loop) relieve(c *conn) {
	l.engine.reportRefusal(full("the TLS handshake took too long, and others waited for their turn; try again"), c.head.client)
	l.drop(c, 0, "")
}

// decrypt handles the records in memory, and more ciphertext behind them, as far as the
// client's turn goes. The rest waits as it is.
func (l *loop) decrypt(c *conn, data []byte) {
	s, gen := c.tls, c.gen
	if l.plain == nil {
		l.plain = make([]byte, maxPlaintext)
	}
	if len(s.in.data) > 0 {
		s.in.data = append(s.in.data, data...)
	} else {
		s.in.data = data // the loop's, for now
	}
	for !s.ended && !c.toRead && l.work > 0 && !l.backlogged(c) {
		n, err := s.conn.Read(l.plain)
		if !l.sendSealed(c, l.takeSealed()) {
			return
		}
		if n > 0 {
			s.unheard = 0
			l.work += messageWork // its messages count themselves
			l.chargeRecords(c)
			l.consume(c, l.plain[:n])
		}
		if c.gen != gen {
			return
		}
		if c.state == stateRejected || c.state == stateLinger {
			s.ended = true
			break
		}
		if err == nil {
			continue
		}
		if err == errNoInput {
			break
		}
		s.ended = true
		if err == io.EOF {
			l.peerEnded(c)
		} else {
			l.drop(c, ws.StatusAbnormalClosure, "the connection broke: "+err.Error())
		}
		if c.gen != gen {
			return
		}
	}
	l.keepInput(c)
}

// chargeRecords counts each record that came without data, such as a new key, as a message
// of the client: it costs as much as one.
func (l *loop) chargeRecords(c *conn) {
	without := c.tls.silent - 1
	c.tls.silent = 0
	for rate := l.engine.cfg.MessageRate; without > 0 && c.state == stateOpen; without-- {
		if !c.budget.take(rate, l.wheel.now) {
			l.beginClose(c, ws.StatusPolicyViolation, tooManyMessages(rate))
		}
	}
}

// keepInput keeps the ciphertext that is not decrypted yet, and counts it.
func (l *loop) keepInput(c *conn) {
	s := c.tls
	switch {
	case len(s.in.data) == 0 || s.ended:
		s.in = records{}
	default: // the rest of what was longer would hold all of that
		s.in.data = bytes.Clone(s.in.data)
	}
	if s.in.ready() && !c.paused {
		l.readLater(c)
	}
	if !l.holdInput(c) {
		l.beginClose(c, tryAgainLater, heldTooMuch)
	}
}

// holdInput counts the ciphertext that a connection keeps, with what crypto/tls has of a
// message of its own, and reports whether there is room for it.
func (l *loop) holdInput(c *conn) bool {
	s := c.tls
	grown := cap(s.in.data) + s.unheard - s.held
	s.held += grown
	return grown == 0 || l.account(s).Add(int64(grown)) <= int64(l.engine.cfg.MaxInbound) || grown < 0
}

// account is where the ciphertext of a connection is counted. Handshakes have one of
// their own: the messages of others must keep no new client out.
func (l *loop) account(s *secure) *atomic.Int64 {
	if s.done {
		return &l.engine.held
	}
	return &l.engine.hellos
}

// forgetTLS gives back what the layer of a connection holds.
func (l *loop) forgetTLS(c *conn) {
	s := c.tls
	l.account(s).Add(-int64(s.held))
	s.held = 0
	if s.shake != nil {
		s.shake.abandon()
	}
}

// seal encrypts bytes, a chunk at most, and writes them. What the socket does not take
// is kept by keepSealed, so all that was sealed counts as sent.
func (l *loop) seal(c *conn, buf []byte) (int, bool) {
	buf, l.sealed = buf[:min(len(buf), chunk)], l.sealed[:0]
	if _, err := c.tls.conn.Write(buf); err != nil {
		l.drop(c, ws.StatusAbnormalClosure, "the connection broke: "+err.Error())
		return 0, false
	}
	n, ok := l.writeSocket(c, l.sealed)
	l.unsent, l.sealed = l.sealed[n:], l.sealed[:0]
	return len(buf), ok
}

// keepSealed keeps the ciphertext that the socket did not take of the last write. The
// frames of that, counted since before, are delivered once it is out.
func (l *loop) keepSealed(c *conn, before uint64) {
	if len(l.unsent) > 0 {
		c.outbound().seal(l.unsent, l.tally.delivered-before, &l.ledger)
		l.tally.delivered = before
	}
	l.unsent = nil
}

// takeSealed returns ciphertext that crypto/tls made without being asked to, such as an
// alert. It is valid until it makes more.
func (l *loop) takeSealed() []byte {
	data := l.sealed
	l.sealed = l.sealed[:0]
	return data
}

// sendSealed sends such ciphertext behind what waits. It is false when the connection
// broke.
func (l *loop) sendSealed(c *conn, data []byte) bool {
	if len(data) == 0 {
		return true
	}
	if !c.blocked && (c.out == nil || c.out.sealed == nil) {
		n, ok := l.writeSocket(c, data)
		if !ok {
			return false
		}
		data = data[n:]
	}
	if len(data) > 0 {
		c.outbound().seal(data, 0, &l.ledger)
	}
	return true
}

// writeSealed writes ciphertext that a socket did not take before. It is false when the
// connection broke.
func (l *loop) writeSealed(c *conn) bool {
	o := c.out
	n, ok := l.writeSocket(c, o.sealed)
	if !ok {
		return false
	}
	l.spent += n
	if o.sealed = o.sealed[n:]; len(o.sealed) == 0 {
		l.tally.delivered += o.sealedDelivered
		if o.dropSealed(&l.ledger); len(o.frames) == 0 {
			c.out = nil
		}
	}
	return true
}

// sendCloseNotify tells the peer that nothing follows. It is false while that waits, and
// when the connection broke.
func (l *loop) sendCloseNotify(c *conn) bool {
	s := c.tls
	if s.notified || !s.done {
		return true
	}
	s.notified = true
	// An error means that an alert was sent before, after which nothing follows either.
	_ = s.conn.CloseWrite()
	return l.sendSealed(c, l.takeSealed()) && c.out == nil
}

// handOver gives the connection to net/http, on a socket of its own. What waits comes
// first, in both directions.
func (s *secure) handOver(socket net.Conn, out *outbound) net.Conn {
	s.in.data = bytes.Clone(s.in.data)
	if out != nil {
		s.unsent = bytes.Clone(out.sealed)
	}
	s.Conn, s.owned = socket, false
	return s.conn
}
