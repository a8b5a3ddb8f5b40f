package engine

import (
	"container/list"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
)

const (
	// handshakeReadSize is the size of a read until the handshake is done: a queued
	// handshake holds no more than that beyond its ClientHello.
	handshakeReadSize = 4 << 10
	// maxHandshakeInput bounds what is read from a client ahead of its handshake.
	maxHandshakeInput = 64 << 10
)

// handshake is the state of a connection's TLS handshake, shared between its goroutine and
// the loop.
type handshake struct {
	pool *handshakePool
	tls  *tls.Conn
	conn Conn

	entry *list.Element // in pool.active or pool.queue
	stage stage

	// Used by the loop only.
	started  bool // it has left the queue
	answered bool // something was sent to the client

	wake   chan struct{} // capacity 1: there is input, or its end
	closed chan struct{} // closed when the connection has ended
	hasCPU bool          // its goroutine, which alone uses this, has a token

	// mu guards the following fields.
	mu        sync.Mutex
	input     records
	output    []byte // for the loop to send
	paused    bool   // the loop left input in the socket
	eof       bool   // the client sends no more
	idle      bool   // it waits for its client
	idleSince tick
	idleTicks tick // time spent idle before
}

func newHandshake(l *loop, c *conn) *handshake {
	return &handshake{pool: l.engine.handshakes, tls: c.tls.conn, conn: l.handle(c),
		wake: make(chan struct{}, 1), closed: make(chan struct{})}
}

// post runs a function on the connection's loop, unless the handshake or the connection has
// ended by then.
func (h *handshake) post(do func(l *loop, c *conn)) {
	h.conn.post(func(l *loop, c *conn) {
		if c.tls != nil && c.tls.handshake == h {
			do(l, c)
		}
	})
}

// run is the goroutine of a handshake. It computes only while it holds a token.
func (h *handshake) run() {
	err := errPanic
	defer func() { // even if a callback ends the goroutine
		h.releaseCPU()
		h.pool.finish(h)
		h.post(func(l *loop, c *conn) { l.handshakeDone(c, h, err) })
	}()
	if gone := h.acquireCPU(); gone != nil {
		err = gone
		return
	}
	err = h.perform()
}

// acquireCPU waits for a token. It fails if the connection has ended.
func (h *handshake) acquireCPU() error {
	select {
	case <-h.closed:
		return net.ErrClosed
	case h.pool.cpus <- struct{}{}:
		h.hasCPU = true
	}
	if h.abandoned() { // both cases were ready
		return net.ErrClosed
	}
	return nil
}

// releaseCPU returns the token.
func (h *handshake) releaseCPU() {
	if h.hasCPU {
		<-h.pool.cpus
		h.hasCPU = false
	}
}

// perform runs the handshake. A panic in a callback of the configuration ends only this
// connection.
func (h *handshake) perform() (err error) {
	err = errPanic
	defer h.pool.engine.recoverPanic("ListenOptions.TLS")
	return h.tls.Handshake()
}

var errPanic = errors.New("a callback of the TLS configuration did not return")

// read waits for a record. Before that, the handshake's output is sent.
func (h *handshake) read(p []byte) (int, error) {
	for {
		if h.abandoned() {
			return 0, net.ErrClosed
		}
		h.mu.Lock()
		if h.idle { // a client that trickles its input counts as idle throughout
			h.idleTicks += h.pool.engine.now() - h.idleSince
		}
		n, eof := h.input.read(p), h.eof
		news := n == 0 && (h.paused || len(h.output) > 0)
		if h.idle = n == 0; h.idle {
			h.idleSince, h.paused = h.pool.engine.now(), false
		}
		h.mu.Unlock()
		switch {
		case n > 0:
			return n, nil
		case eof:
			return 0, io.ErrUnexpectedEOF
		}
		if news {
			h.post(func(l *loop, c *conn) { l.sendHandshake(c, h) })
		}
		h.releaseCPU()
		select {
		case <-h.wake:
		case <-h.closed:
		}
		if err := h.acquireCPU(); err != nil {
			return 0, err
		}
	}
}

// write keeps output until the handshake waits for the client or ends.
func (h *handshake) write(p []byte) (int, error) {
	if h.abandoned() {
		return 0, net.ErrClosed
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.output = append(h.output, p...)
	return len(p), nil
}

// feed adds input.
func (h *handshake) feed(data []byte) {
	h.mu.Lock()
	h.input.data = append(h.input.data, data...)
	h.mu.Unlock()
	h.signal()
}

// closeInput records the end of the input.
func (h *handshake) closeInput() {
	h.mu.Lock()
	h.eof = true
	h.mu.Unlock()
	h.signal()
}

func (h *handshake) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// takeOutput returns the output so far. The loop calls it.
func (h *handshake) takeOutput() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.output
	h.output, h.answered = nil, h.answered || len(h.output) > 0
	return out
}

// inputFull reports whether input must stay in the socket for now. The handshake notifies
// the loop when it may continue.
func (h *handshake) inputFull() bool {
	if !h.started {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	full := len(h.input.data) >= maxHandshakeInput
	h.paused = h.paused || full
	return full
}

// abandon ends a handshake whose connection has ended. The loop calls it once.
func (h *handshake) abandon() {
	close(h.closed)
	h.pool.cancel(h)
}

// abandoned reports whether the connection has ended.
func (h *handshake) abandoned() bool {
	select {
	case <-h.closed:
		return true
	default:
		return false
	}
}
