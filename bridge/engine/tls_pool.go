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
	// maxHandshakeIdle is how long a handshake may wait for its client, all in all, while
	// others wait for their turn.
	maxHandshakeIdle = second
)

// handshakePool bounds the handshakes of all connections: in number, and in how many of
// them compute at a time, so that a loop never waits behind a thousand of them for a
// processor.
type handshakePool struct {
	engine *Engine
	cpus   chan struct{} // holds a token for each that computes

	max     atomic.Int32 // maxHandshakes; tests have fewer
	waiting atomic.Int32 // length of queue

	// mu guards the following fields, and entry and stage of every handshake.
	mu     sync.Mutex
	active list.List // of *handshake, the oldest first; those whose turn it is are among them
	queue  list.List // of those that wait for their turn
}

func newHandshakes(e *Engine) *handshakePool {
	q := &handshakePool{engine: e, cpus: make(chan struct{}, runtime.GOMAXPROCS(0))}
	q.max.Store(maxHandshakes)
	return q
}

// stage is how far a handshake has come.
type stage uint8

const (
	stageQueued   stage = iota // for a place, in the queue
	stageAdmitted              // it has a place, and its loop is about to look at it
	stageRunning               // on a goroutine, which gives the place back
	stageReleased              // it has no place any more
)

// submit starts a handshake, or has it wait for its turn. Its loop calls it.
func (q *handshakePool) submit(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.active.Len() < int(q.max.Load()) {
		h.entry, h.started = q.active.PushBack(h), true
		q.start(h)
		return
	}
	h.entry = q.queue.PushBack(h)
	q.waiting.Add(1)
}

// start runs a handshake that has a place. mu is held.
func (q *handshakePool) start(h *handshake) {
	h.stage = stageRunning
	q.engine.goroutines.Go(h.run)
}

// startAdmitted starts a handshake whose turn it is, unless its connection has ended.
func (q *handshakePool) startAdmitted(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if h.stage == stageAdmitted {
		q.start(h)
	}
}

// release takes a handshake's place, which the next one gets. mu is held.
func (q *handshakePool) release(h *handshake) {
	q.active.Remove(h.entry)
	h.stage = stageReleased
	first := q.queue.Front()
	if first == nil {
		return
	}
	next := q.queue.Remove(first).(*handshake)
	q.waiting.Add(-1)
	next.entry, next.stage = q.active.PushBack(next), stageAdmitted
	next.post((*loop).startHandshake)
}

// finish removes a handshake that ran.
func (q *handshakePool) finish(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.release(h)
}

// cancel removes a handshake whose connection has ended. One that runs ends by itself.
func (q *handshakePool) cancel(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch h.stage {
	case stageQueued:
		q.queue.Remove(h.entry)
		q.waiting.Add(-1)
		h.stage = stageReleased
	case stageAdmitted:
		q.release(h)
	}
}

// evictIdle ends handshakes that have long waited for their clients while others wait for
// their turn, the oldest first.
func (q *handshakePool) evictIdle(now tick) {
	wanted := int(q.waiting.Load())
	if wanted == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for e := q.active.Front(); e != nil && wanted > 0; e = e.Next() {
		h := e.Value.(*handshake)
		h.mu.Lock()
		late := h.idle && !h.abandoned() && h.idleTicks+now-h.idleSince >= ticks(maxHandshakeIdle)
		h.mu.Unlock()
		if late {
			wanted--
			h.post((*loop).evictHandshake)
		}
	}
}

// handshakeQueued reports whether the handshake waits for its turn.
func (s *tlsLayer) handshakeQueued() bool {
	return s != nil && s.handshake != nil && !s.handshake.started
}

// handleQueuedHandshake handles news of a connection whose handshake waits for its turn. Its input
// stays in the socket, but a client that has hung up leaves the queue, also one that only
// sends no more: the last message of a handshake is the client's.
func (l *loop) handleQueuedHandshake(c *conn, ended bool) {
	if ended || hasHungUp(int(c.fd)) {
		l.peerEnded(c)
	}
}

// startHandshake starts a handshake whose turn it is, unless its client turns out to have hung up.
func (l *loop) startHandshake(c *conn) {
	h := c.tls.handshake
	h.started = true
	if !c.readQueued {
		l.read(c, true)
	}
	l.engine.handshakes.startAdmitted(h)
}
