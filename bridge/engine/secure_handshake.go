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
	// readShaking is how much is read at once until the handshake is done: what waits
	// for its turn holds no more beyond a ClientHello.
	readShaking = 4 << 10
	// maxShaking bounds what is read from a client ahead of its handshake.
	maxShaking = 64 << 10
)

// handshake is the state of a connection's handshake: what it shares with the loop.
type handshake struct {
	all  *handshakes
	conn *tls.Conn
	of   Conn

	entry *list.Element // in underWay or queue
	stage stage

	// The loop's alone.
	started  bool // it had its turn
	answered bool // the client was sent something

	wake      chan struct{} // capacity 1: there is input, or none will come
	gone      chan struct{} // closed when the connection has ended
	computing bool          // its goroutine, which alone reads this, has a token

	// mu guards the following fields.
	mu     sync.Mutex
	in     records
	out    []byte // for the loop to send
	paused bool   // the loop left input in the socket
	eof    bool   // the client sends no more
	idle   bool   // it waits for its client
	since  tick   // since when
	waited tick   // for how long it did before
}

func newHandshake(l *loop, c *conn) *handshake {
	return &handshake{all: l.engine.handshakes, conn: c.tls.conn, of: l.handle(c),
		wake: make(chan struct{}, 1), gone: make(chan struct{})}
}

// post has the loop do something to the connection, unless the handshake or the connection
// has ended by then.
func (h *handshake) post(do func(l *loop, c *conn)) {
	h.of.post(func(l *loop, c *conn) {
		if c.tls != nil && c.tls.shake == h {
			do(l, c)
		}
	})
}

// run is the goroutine of a handshake. It computes only while it has a token.
func (h *handshake) run() {
	err := errPanic
	defer func() { // also when a callback ends the goroutine
		h.stopComputing()
		h.all.finish(h)
		h.post(func(l *loop, c *conn) { l.shaken(c, h, err) })
	}()
	if gone := h.compute(); gone != nil {
		err = gone
		return
	}
	err = h.handshake()
}

// compute waits for a token, and fails if the connection has ended.
func (h *handshake) compute() error {
	select {
	case <-h.gone:
		return net.ErrClosed
	case h.all.computing <- struct{}{}:
		h.computing = true
	}
	if h.abandoned() { // both were true
		return net.ErrClosed
	}
	return nil
}

// stopComputing gives the token back.
func (h *handshake) stopComputing() {
	if h.computing {
		<-h.all.computing
		h.computing = false
	}
}

// handshake does it. A panic of a callback in the configuration ends the one connection.
func (h *handshake) handshake() (err error) {
	err = errPanic
	defer h.all.engine.caught("ListenOptions.TLS")
	return h.conn.Handshake()
}

var errPanic = errors.New("a callback of the TLS configuration did not return")

// read waits for a record. Before that, what the handshake has to say goes out.
func (h *handshake) read(p []byte) (int, error) {
	for {
		if h.abandoned() {
			return 0, net.ErrClosed
		}
		h.mu.Lock()
		if h.idle { // a client that trickles has waited all the time
			h.waited += h.all.engine.now() - h.since
		}
		n, eof := h.in.read(p), h.eof
		news := n == 0 && (h.paused || len(h.out) > 0)
		if h.idle = n == 0; h.idle {
			h.since, h.paused = h.all.engine.now(), false
		}
		h.mu.Unlock()
		switch {
		case n > 0:
			return n, nil
		case eof:
			return 0, io.ErrUnexpectedEOF
		}
		if news {
			h.post(func(l *loop, c *conn) { l.sendShake(c, h) })
		}
		h.stopComputing()
		select {
		case <-h.wake:
		case <-h.gone:
		}
		if err := h.compute(); err != nil {
			return 0, err
		}
	}
}

// write keeps what the handshake says, until it waits for the client or ends.
func (h *handshake) write(p []byte) (int, error) {
	if h.abandoned() {
		return 0, net.ErrClosed
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.out = append(h.out, p...)
	return len(p), nil
}

// feed brings input.
func (h *handshake) feed(data []byte) {
	h.mu.Lock()
	h.in.data = append(h.in.data, data...)
	h.mu.Unlock()
	h.poke()
}

// end brings the end of the input.
func (h *handshake) end() {
	h.mu.Lock()
	h.eof = true
	h.mu.Unlock()
	h.poke()
}

func (h *handshake) poke() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// take returns what there is to send. The loop calls it.
func (h *handshake) take() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.out
	h.out, h.answered = nil, h.answered || len(h.out) > 0
	return out
}

// full reports whether input must stay in the socket for now. The loop is told when it
// may go on.
func (h *handshake) full() bool {
	if !h.started {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	full := len(h.in.data) >= maxShaking
	h.paused = h.paused || full
	return full
}

// abandon ends a handshake whose connection has ended. The loop calls it once.
func (h *handshake) abandon() {
	close(h.gone)
	h.all.cancel(h)
}

// abandoned reports whether the connection has ended.
func (h *handshake) abandoned() bool {
	select {
	case <-h.gone:
		return true
	default:
		return false
	}
}
