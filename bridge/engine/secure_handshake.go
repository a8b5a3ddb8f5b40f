package engine

import (
	"container/list"
	"crypto/tls"
	"errors"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// maxHandshakes bounds the handshakes that are under way at a time, each on a
	// goroutine. Further ones wait for their turn, with their bytes in the socket.
	maxHandshakes = 1024
	// giveWayAfter is how long a handshake may wait for its client, all in all, while
	// others wait for their turn.
	giveWayAfter = second
	// readShaking is how much is read at once until the handshake is done: what waits
	// for its turn holds no more beyond a ClientHello.
	readShaking = 4 << 10
	// maxShaking bounds what is read from a client ahead of its handshake.
	maxShaking = 64 << 10
)

// handshakes bounds the handshakes of all connections: in number, and in how many of
// them compute at a time, so that a loop never waits behind a thousand of them for a
// processor.
type handshakes struct {
	engine    *Engine
	computing chan struct{} // holds a token for each that computes

	max     atomic.Int32 // maxHandshakes; tests have fewer
	waiting atomic.Int32 // length of queue

	// mu guards the following fields, and entry and running of every handshake.
	mu       sync.Mutex
	underWay list.List // of *handshake, the oldest first
	queue    list.List // of those that wait for their turn
}

func newHandshakes(e *Engine) *handshakes {
	q := &handshakes{engine: e, computing: make(chan struct{}, runtime.GOMAXPROCS(0))}
	q.max.Store(maxHandshakes)
	return q
}

// handshake is the state of a connection's handshake: what it shares with the loop.
type handshake struct {
	all  *handshakes
	conn *tls.Conn
	of   Conn

	entry   *list.Element // in underWay or queue
	running bool          // it is in underWay

	wake chan struct{} // capacity 1: there is input, or none will come

	// mu guards the following fields.
	mu      sync.Mutex
	in      records
	out     []byte // for the loop to send
	started bool   // it had its turn
	paused  bool   // the loop left input in the socket
	closed  bool   // the connection has ended
	idle    bool   // it waits for its client
	since   tick   // since when
	waited  tick   // for how long it did before
}

// begin starts a handshake, or has it wait for its turn.
func (q *handshakes) begin(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.underWay.Len() < int(q.max.Load()) {
		q.start(h)
		return
	}
	h.entry = q.queue.PushBack(h)
	q.waiting.Add(1)
}

// start runs a handshake. mu is held.
func (q *handshakes) start(h *handshake) {
	h.entry, h.running = q.underWay.PushBack(h), true
	q.engine.running.Go(h.run)
}

// leave removes a handshake that has ended, and starts the next one in its place.
func (q *handshakes) leave(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.underWay.Remove(h.entry)
	if first := q.queue.Front(); first != nil {
		q.queue.Remove(first)
		q.waiting.Add(-1)
		q.start(first.Value.(*handshake))
	}
}

// cancel takes a handshake whose connection has ended out of the queue. One that is
// under way ends by itself.
func (q *handshakes) cancel(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if h.entry != nil && !h.running {
		q.queue.Remove(h.entry)
		q.waiting.Add(-1)
		h.entry = nil
	}
}

// relieve ends handshakes that have long waited for their clients while others wait for
// their turn, the oldest first.
func (q *handshakes) relieve(now tick) {
	wanted := int(q.waiting.Load())
	if wanted == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for e := q.underWay.Front(); e != nil && wanted > 0; e = e.Next() {
		h := e.Value.(*handshake)
		h.mu.Lock()
		late := h.idle && !h.closed && h.waited+now-h.since >= ticks(giveWayAfter)
		h.mu.Unlock()
		if late {
			wanted--
			h.of.post((*loop).relieve)
		}
	}
}

// run is the goroutine of a handshake. It computes only while it has a token.
func (h *handshake) run() {
	h.mu.Lock()
	h.started = true
	h.mu.Unlock()
	h.all.computing <- struct{}{}
	err := errPanic
	defer func() { // also when a callback ends the goroutine
		<-h.all.computing
		h.all.leave(h)
		h.of.post(func(l *loop, c *conn) { l.shaken(c, h, err) })
	}()
	err = h.handshake()
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
		h.mu.Lock()
		if h.idle { // a client that trickles has waited all the time
			h.waited += h.all.engine.now() - h.since
		}
		n := h.in.read(p)
		closed := h.closed
		news := n == 0 && (h.paused || len(h.out) > 0)
		if h.idle = n == 0; h.idle {
			h.since, h.paused = h.all.engine.now(), false
		}
		h.mu.Unlock()
		switch {
		case n > 0:
			return n, nil
		case closed:
			return 0, net.ErrClosed
		case news:
			h.of.post(func(l *loop, c *conn) { l.sendShake(c, h) })
		}
		<-h.all.computing
		<-h.wake
		h.all.computing <- struct{}{}
	}
}

// write keeps what the handshake says, until it waits for the client or ends.
func (h *handshake) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return 0, net.ErrClosed
	}
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

// take returns what there is to send.
func (h *handshake) take() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.out
	h.out = nil
	return out
}

// full reports whether input must stay in the socket for now. The loop is told when it
// may go on.
func (h *handshake) full() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	full := !h.started || len(h.in.data) >= maxShaking
	h.paused = h.paused || full
	return full
}

// abandon ends a handshake whose connection has ended.
func (h *handshake) abandon() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.all.cancel(h)
	h.poke()
}

func (h *handshake) poke() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}
