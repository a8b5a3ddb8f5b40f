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

// receiveCiphertext handles ciphertext that came from a socket.
func (l *loop) receiveCiphertext(c *conn, data []byte) {
	switch s := c.tls; {
	case s.handshake != nil:
		s.handshake.feed(data)
	case s.done:
		l.decrypt(c, data)
	case c.state == stateHead:
		if s.in.data = append(s.in.data, data...); l.countInput(c) {
			l.readHello(c)
			return
		}
		l.engine.reportRejection(overLimit(reasonInboundFull), c.incoming.client)
		l.drop(c, 0, "")
	}
}

// inputFull reports whether input must stay in the socket for now.
func (s *tlsLayer) inputFull() bool { return s != nil && s.handshake != nil && s.handshake.inputFull() }

// hasRecord reports whether there is something to decrypt.
func (s *tlsLayer) hasRecord() bool { return s != nil && s.done && s.in.ready() }

// readHello collects what comes before TLS and the ClientHello. Until that is whole, a
// client holds nothing but these bytes and its place.
func (l *loop) readHello(c *conn) {
	in, s := c.incoming, c.tls
	if in.expectProxy {
		n, rejectErr := in.readProxy(s.in.data)
		switch {
		case rejectErr != nil:
			l.rejectPlain(c, rejectErr)
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
			l.rejectPlain(c, l.engine.tlsExpected(data[:recordHeader]))
		}
		return
	}
	end, enough := helloEnd(data)
	if !enough {
		return
	}
	s.conn = tls.Server((*tlsTransport)(s), in.options.TLS)
	s.handshake = newHandshake(l, c)
	s.handshake.input.data = splitHello(data, end)
	s.in = records{}
	l.engine.handshakes.submit(s.handshake)
}

// tlsExpected returns why bytes are refused on a port that speaks TLS.
func (e *Engine) tlsExpected(data []byte) *RejectError {
	if proxyproto.MayHaveSignature(data) {
		return e.unexpectedProxy()
	}
	return &RejectError{Status: http.StatusBadRequest, Kind: KindNoTLS, Reason: "this port speaks TLS: use https:// or wss://"}
}

// rejectPlain answers in the clear what does not speak TLS. What does is not answered:
// it would understand nothing but an alert.
func (l *loop) rejectPlain(c *conn, rejectErr *RejectError) {
	data := c.tls.in.data
	if looksLikeTLS(data) {
		l.engine.reportRejection(rejectErr, c.incoming.client)
		l.drop(c, 0, "")
		return
	}
	l.freeTLS(c)
	c.tls = nil
	l.reject(c, rejectErr)
}

// sendHandshake sends what a handshake has to say.
func (l *loop) sendHandshake(c *conn, h *handshake) {
	if l.sendCiphertext(c, h.takeOutput()) {
		l.queueRead(c) // perhaps input was left in the socket
	}
}

// handshakeDone goes on when a handshake has ended.
func (l *loop) handshakeDone(c *conn, h *handshake, err error) {
	s := c.tls
	l.engine.handshakeBytes.Add(-int64(s.counted))
	s.handshake, s.done, s.counted = nil, err == nil, 0
	s.in = records{bytes.Clone(h.input.data), h.input.left}
	if !l.sendCiphertext(c, h.takeOutput()) {
		return
	}
	if err == nil {
		l.quantum = clientQuantum
		l.decrypt(c, nil)
		if (h.paused || h.eof) && c.gen == h.conn.gen {
			l.queueRead(c)
		}
		return
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		rejectErr := &RejectError{Status: http.StatusBadRequest, Kind: KindNoTLS, Reason: record.Error()}
		l.engine.reportRejection(rejectErr, c.incoming.client)
	}
	l.respond(c, nil) // the client must be able to read the alert
	if h.paused {
		l.queueRead(c)
	}
	if c.out == nil {
		l.flushed(c)
	}
}

// evictHandshake ends a handshake whose client is slow: others wait for their turn.
func (l *loop) evictHandshake(c *conn) {
	l.engine.reportRejection(overLimit("the TLS handshake took too long, and others waited for their turn; try again"), c.incoming.client)
	l.drop(c, 0, "")
}

// decrypt handles the records in memory, and more ciphertext behind them, as far as the
// client's turn goes. The rest waits as it is.
func (l *loop) decrypt(c *conn, data []byte) {
	s, gen := c.tls, c.gen
	if l.plaintext == nil {
		l.plaintext = make([]byte, maxPlaintext)
	}
	if len(s.in.data) > 0 {
		s.in.data = append(s.in.data, data...)
	} else {
		s.in.data = data // the loop's, for now
	}
	for !s.ended && !c.readQueued && l.quantum > 0 && !l.backlogged(c) {
		n, err := s.conn.Read(l.plaintext)
		if !l.sendCiphertext(c, l.takeCiphertext()) {
			return
		}
		if n > 0 {
			s.bytesWithoutData = 0
			l.quantum += messageCost // its messages count themselves
			l.chargeRecords(c)
			l.consume(c, l.plaintext[:n])
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
		if err == errNoRecord {
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
	without := c.tls.recordsWithoutData - 1
	c.tls.recordsWithoutData = 0
	for rate := l.engine.cfg.MessageRate; without > 0 && c.state == stateOpen; without-- {
		if !c.limiter.allow(rate, l.wheel.now) {
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
		l.queueRead(c)
	}
	if !l.countInput(c) {
		l.beginClose(c, statusTryAgainLater, reasonInboundFull)
	}
}

// countInput counts the ciphertext that a connection keeps, with what crypto/tls has of a
// message of its own, and reports whether there is room for it.
func (l *loop) countInput(c *conn) bool {
	s := c.tls
	grown := cap(s.in.data) + s.bytesWithoutData - s.counted
	s.counted += grown
	return grown == 0 || l.inboundCounter(s).Add(int64(grown)) <= int64(l.engine.cfg.MaxInbound) || grown < 0
}

// inboundCounter is where the ciphertext of a connection is counted. Handshakes have one of
// their own: the messages of others must keep no new client out.
func (l *loop) inboundCounter(s *tlsLayer) *atomic.Int64 {
	if s.done {
		return &l.engine.inbound
	}
	return &l.engine.handshakeBytes
}

// freeTLS gives back what the layer of a connection holds.
func (l *loop) freeTLS(c *conn) {
	s := c.tls
	l.inboundCounter(s).Add(-int64(s.counted))
	s.counted = 0
	if s.handshake != nil {
		s.handshake.abandon()
	}
}

// encrypt encrypts bytes, a chunk at most, and writes them. What the socket does not take
// is kept by keepSealed, so all that was sealed counts as sent.
func (l *loop) encrypt(c *conn, buf []byte) (int, bool) {
	buf, l.ciphertext = buf[:min(len(buf), chunkSize)], l.ciphertext[:0]
	if _, err := c.tls.conn.Write(buf); err != nil {
		l.drop(c, ws.StatusAbnormalClosure, "the connection broke: "+err.Error())
		return 0, false
	}
	n, ok := l.writeSocket(c, l.ciphertext)
	l.unsent, l.ciphertext = l.ciphertext[n:], l.ciphertext[:0]
	return len(buf), ok
}

// keepCiphertext keeps the ciphertext that the socket did not take of the last write. The
// frames of that, counted since before, are delivered once it is out.
func (l *loop) keepCiphertext(c *conn, before uint64) {
	if len(l.unsent) > 0 {
		c.outbound().keepCiphertext(l.unsent, l.counters.delivered-before, &l.usage)
		l.counters.delivered = before
	}
	l.unsent = nil
}

// takeCiphertext returns ciphertext that crypto/tls made without being asked to, such as an
// alert. It is valid until it makes more.
func (l *loop) takeCiphertext() []byte {
	data := l.ciphertext
	l.ciphertext = l.ciphertext[:0]
	return data
}

// sendCiphertext sends such ciphertext behind what waits. It is false when the connection
// broke.
func (l *loop) sendCiphertext(c *conn, data []byte) bool {
	if len(data) == 0 {
		return true
	}
	if !c.blocked && (c.out == nil || c.out.ciphertext == nil) {
		n, ok := l.writeSocket(c, data)
		if !ok {
			return false
		}
		data = data[n:]
	}
	if len(data) > 0 {
		c.outbound().keepCiphertext(data, 0, &l.usage)
	}
	return true
}

// writeCiphertext writes ciphertext that a socket did not take before. It is false when the
// connection broke.
func (l *loop) writeCiphertext(c *conn) bool {
	o := c.out
	n, ok := l.writeSocket(c, o.ciphertext)
	if !ok {
		return false
	}
	l.turnBytes += n
	if o.ciphertext = o.ciphertext[n:]; len(o.ciphertext) == 0 {
		l.counters.delivered += o.ciphertextFrames
		if o.dropCiphertext(&l.usage); len(o.frames) == 0 {
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
	return l.sendCiphertext(c, l.takeCiphertext()) && c.out == nil
}

// handOff gives the connection to net/http, on a socket of its own. What waits comes
// first, in both directions.
func (s *tlsLayer) handOff(socket net.Conn, out *outbound) net.Conn {
	s.in.data = bytes.Clone(s.in.data)
	if out != nil {
		s.unsent = bytes.Clone(out.ciphertext)
	}
	s.Conn, s.onLoop = socket, false
	return s.conn
}
