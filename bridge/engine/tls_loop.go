package engine

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/proxyproto"
)

// receiveCiphertext handles ciphertext from a socket.
func (l *loop) receiveCiphertext(c *conn, data []byte) {
	switch s := c.tls; {
	case s.handshake != nil:
		s.handshake.feed(data)
	case s.done:
		l.decrypt(c, data)
	case c.state == stateHead:
		if s.in.data = append(s.in.data, data...); !l.exceedsInbound(c) {
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

// readHello collects the PROXY header, if any, and the ClientHello. Until that is complete,
// a client costs only these bytes and its place.
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

// tlsExpected returns why bytes are rejected on a port that speaks TLS.
func (e *Engine) tlsExpected(data []byte) *RejectError {
	if proxyproto.MayHaveSignature(data) {
		return e.unexpectedProxy()
	}
	return &RejectError{Status: http.StatusBadRequest, Kind: KindNoTLS, Reason: "this port speaks TLS: use https:// or wss://"}
}

// rejectPlain answers a client that does not speak TLS in the clear. One that does gets no
// response: it would understand nothing but an alert.
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

// sendHandshake sends the output of a handshake.
func (l *loop) sendHandshake(c *conn, h *handshake) {
	if l.sendCiphertext(c, h.takeOutput()) {
		l.queueRead(c) // input may be left in the socket
	}
}

// handshakeDone continues after a handshake.
func (l *loop) handshakeDone(c *conn, h *handshake, err error) {
	s := c.tls
	l.engine.handshakeInbound.update(&s.counted, 0)
	s.handshake, s.done = nil, err == nil
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

// evictHandshake ends a handshake whose client is slow while others are queued.
func (l *loop) evictHandshake(c *conn) {
	l.engine.reportRejection(overLimit("the TLS handshake took too long while others were waiting; try again"), c.incoming.client)
	l.drop(c, 0, "")
}

// decrypt decrypts the records in memory and the ciphertext after them, up to the client's
// quantum. The rest stays encrypted.
func (l *loop) decrypt(c *conn, data []byte) {
	s, gen := c.tls, c.gen
	if l.scratch.plaintext == nil {
		l.scratch.plaintext = make([]byte, maxPlaintext)
	}
	if len(s.in.data) > 0 {
		s.in.data = append(s.in.data, data...)
	} else {
		s.in.data = data // the loop's memory, for now
	}
	for !s.ended && !c.readQueued && l.quantum > 0 && !l.backlogged(c) {
		n, err := s.conn.Read(l.scratch.plaintext)
		if !l.sendCiphertext(c, l.takeCiphertext()) {
			return
		}
		if n > 0 {
			s.bytesWithoutData = 0
			l.quantum += messageCost // its messages count themselves
			l.chargeRecords(c)
			l.consume(c, l.scratch.plaintext[:n])
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

// chargeRecords charges each record without data, such as a key update, like a message: it
// costs as much.
func (l *loop) chargeRecords(c *conn) {
	without := c.tls.recordsWithoutData - 1
	c.tls.recordsWithoutData = 0
	for rate := l.engine.cfg.MessageRate; without > 0 && c.state == stateOpen; without-- {
		if !c.limiter.allow(rate, l.wheel.now) {
			l.beginClose(c, ws.StatusPolicyViolation, tooManyMessages(rate))
		}
	}
}

// keepInput keeps and counts the ciphertext not decrypted yet.
func (l *loop) keepInput(c *conn) {
	s := c.tls
	switch {
	case len(s.in.data) == 0 || s.ended:
		s.in = records{}
	default: // a subslice would keep the longer array alive
		s.in.data = bytes.Clone(s.in.data)
	}
	if s.in.ready() && !c.paused {
		l.queueRead(c)
	}
	if l.exceedsInbound(c) {
		l.beginClose(c, statusTryAgainLater, reasonInboundFull)
	}
}

// exceedsInbound counts the ciphertext that a connection keeps, and what crypto/tls has
// buffered, and reports whether it exceeds the limit.
func (l *loop) exceedsInbound(c *conn) bool {
	s := c.tls
	return l.inboundLimit(s).update(&s.counted, cap(s.in.data)+s.bytesWithoutData)
}

func (l *loop) inboundLimit(s *tlsLayer) *inboundLimit {
	if s.done {
		return &l.engine.inbound
	}
	return &l.engine.handshakeInbound
}

// freeTLS frees what a connection's TLS layer holds.
func (l *loop) freeTLS(c *conn) {
	s := c.tls
	l.inboundLimit(s).update(&s.counted, 0)
	if s.handshake != nil {
		s.handshake.abandon()
	}
}

// encrypt encrypts up to a chunk and writes it. The caller must pass unsent, what the
// socket did not take, to keepCiphertext, so everything counts as sent.
func (l *loop) encrypt(c *conn, buf []byte) (n int, unsent []byte, ok bool) {
	buf, l.scratch.ciphertext = buf[:min(len(buf), chunkSize)], l.scratch.ciphertext[:0]
	if _, err := c.tls.conn.Write(buf); err != nil {
		l.drop(c, ws.StatusAbnormalClosure, "the connection broke: "+err.Error())
		return 0, nil, false
	}
	ciphertext := l.takeCiphertext()
	n, ok = l.writeSocket(c, ciphertext)
	return len(buf), ciphertext[n:], ok
}

// keepCiphertext keeps the ciphertext of a write that the socket did not take. The write's
// frames, counted since before, are delivered once it is written.
func (l *loop) keepCiphertext(c *conn, unsent []byte, before uint64) {
	if len(unsent) > 0 {
		c.outbound().keepCiphertext(unsent, l.counters.delivered-before, &l.usage)
		l.counters.delivered = before
	}
}

// takeCiphertext returns ciphertext that crypto/tls produced by itself, such as an alert.
// It is valid until the next.
func (l *loop) takeCiphertext() []byte {
	data := l.scratch.ciphertext
	l.scratch.ciphertext = l.scratch.ciphertext[:0]
	return data
}

// sendCiphertext sends such ciphertext after what is queued. It returns false if the
// connection broke.
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

// writeCiphertext writes queued ciphertext. It returns false if the connection broke.
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

// sendCloseNotify sends a close_notify. It returns false while that is queued, and if the
// connection broke.
func (l *loop) sendCloseNotify(c *conn) bool {
	s := c.tls
	if s.notified || !s.done {
		return true
	}
	s.notified = true
	// An error means that an alert was sent before, which also ends the connection.
	_ = s.conn.CloseWrite()
	return l.sendCiphertext(c, l.takeCiphertext()) && c.out == nil
}

// handOff passes the connection to net/http, with a socket of its own. What is buffered in
// either direction comes first.
func (s *tlsLayer) handOff(socket net.Conn, out *outbound) net.Conn {
	s.in.data = bytes.Clone(s.in.data)
	if out != nil {
		s.unsent = bytes.Clone(out.ciphertext)
	}
	s.Conn, s.onLoop = socket, false
	return s.conn
}
