package engine

import (
	"container/list"
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
)

// handshakes bounds the handshakes of all connections: in number, and in how many of
// them compute at a time, so that a loop never waits behind a thousand of them for a
// processor.
type handshakes struct {
	engine    *Engine
	computing chan struct{} // holds a token for each that computes

	max     atomic.Int32 // maxHandshakes; tests have fewer
	waiting atomic.Int32 // length of queue

	// mu guards the following fields, and entry and stage of every handshake.
	mu       sync.Mutex
	underWay list.List // of *handshake, the oldest first; those whose turn it is are among them
	queue    list.List // of those that wait for their turn
}

func newHandshakes(e *Engine) *handshakes {
	q := &handshakes{engine: e, computing: make(chan struct{}, runtime.GOMAXPROCS(0))}
	q.max.Store(maxHandshakes)
	return q
}

// stage is how far a handshake has come.
type stage uint8

const (
	stageWaits stage = iota // for a place, in the queue
	stageTurn               // it has a place, and its loop is about to look at it
	stageRuns               // on a goroutine, which gives the place back
	stageLeft               // it has no place any more
)

// begin starts a handshake, or has it wait for its turn. Its loop calls it.
func (q *handshakes) begin(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.underWay.Len() < int(q.max.Load()) {
		h.entry, h.started = q.underWay.PushBack(h), true
		q.start(h)
		return
	}
	h.entry = q.queue.PushBack(h)
	q.waiting.Add(1)
}

// start runs a handshake that has a place. mu is held.
func (q *handshakes) start(h *handshake) {
	h.stage = stageRuns
	q.engine.running.Go(h.run)
}

// takeTurn starts a handshake whose turn it is, unless its connection has ended.
func (q *handshakes) takeTurn(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if h.stage == stageTurn {
		q.start(h)
	}
}

// leave takes a handshake's place, which the next one gets. mu is held.
func (q *handshakes) leave(h *handshake) {
	q.underWay.Remove(h.entry)
	h.stage = stageLeft
	first := q.queue.Front()
	if first == nil {
		return
	}
	next := q.queue.Remove(first).(*handshake)
	q.waiting.Add(-1)
	next.entry, next.stage = q.underWay.PushBack(next), stageTurn
	next.post((*loop).turnOf)
}

// finish removes a handshake that ran.
func (q *handshakes) finish(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.leave(h)
}

// cancel removes a handshake whose connection has ended. One that runs ends by itself.
func (q *handshakes) cancel(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch h.stage {
	case stageWaits:
		q.queue.Remove(h.entry)
		q.waiting.Add(-1)
		h.stage = stageLeft
	case stageTurn:
		q.leave(h)
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
		late := h.idle && !h.abandoned() && h.waited+now-h.since >= ticks(giveWayAfter)
		h.mu.Unlock()
		if late {
			wanted--
			h.post((*loop).relieve)
		}
	}
}

// queued reports whether the handshake waits for its turn.
func (s *secure) queued() bool { return s != nil && s.shake != nil && !s.shake.started }

// watchQueued handles news of a connection whose handshake waits for its turn. Its input
// stays in the socket, but a client that has hung up leaves the queue, also one that only
// sends no more: the last message of a handshake is the client's.
func (l *loop) watchQueued(c *conn, ended bool) {
	if ended || hasHungUp(int(c.fd)) {
		l.peerEnded(c)
	}
}

// turnOf starts a handshake whose turn it is, unless its client turns out to have hung up.
func (l *loop) turnOf(c *conn) {
	h := c.tls.shake
	h.started = true
	if !c.toRead {
		l.read(c, true)
	}
	l.engine.handshakes.takeTurn(h)
}
