package engine

import (
	"container/list"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// maxHandshakes bounds the running handshakes, each with a goroutine. Further ones are
	// queued, with their bytes in the socket.
	maxHandshakes = 1024
	// maxHandshakeIdle is how long a handshake may wait for its client in all while others
	// are queued.
	maxHandshakeIdle = second
)

// handshakePool bounds the handshakes of all connections: in number, and in how many of
// them compute at a time, so that a loop never waits for a processor behind a thousand of
// them.
type handshakePool struct {
	engine *Engine
	cpus   chan struct{} // holds a token for each that computes

	max     atomic.Int32 // maxHandshakes; lower in tests
	waiting atomic.Int32 // length of queue

	// mu guards the following fields, and entry and stage of every handshake.
	mu     sync.Mutex
	active list.List // of *handshake, admitted or running, the oldest first
	queue  list.List // of *handshake, queued
}

func newHandshakes(e *Engine) *handshakePool {
	q := &handshakePool{engine: e, cpus: make(chan struct{}, runtime.GOMAXPROCS(0))}
	q.max.Store(maxHandshakes)
	return q
}

// stage is a handshake's progress through the pool.
type stage uint8

const (
	stageQueued   stage = iota
	stageAdmitted       // in active, and its loop is about to check the client
	stageRunning        // on a goroutine, which will release it
	stageReleased       // out of the pool
)

// submit starts a handshake or queues it. Its loop calls it.
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

// start runs an active handshake. mu is held.
func (q *handshakePool) start(h *handshake) {
	h.stage = stageRunning
	q.engine.goroutines.Go(h.run)
}

// startAdmitted starts a handshake that came from the queue, unless its connection has
// ended.
func (q *handshakePool) startAdmitted(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if h.stage == stageAdmitted {
		q.start(h)
	}
}

// release removes an active handshake, and admits the next in the queue. mu is held.
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

// finish removes a handshake that has run.
func (q *handshakePool) finish(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.release(h)
}

// cancel removes a handshake whose connection has ended. A running one ends by itself.
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

// evictIdle ends as many handshakes as are queued, of those that have waited long for their
// clients, the oldest first.
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
		slow := h.idle && !h.abandoned() && h.idleTicks+now-h.idleSince >= ticks(maxHandshakeIdle)
		h.mu.Unlock()
		if slow {
			wanted--
			h.post((*loop).evictHandshake)
		}
	}
}

// handshakeQueued reports whether the handshake is queued.
func (s *tlsLayer) handshakeQueued() bool {
	return s != nil && s.handshake != nil && !s.handshake.started
}

// handleQueuedHandshake handles an event of a connection whose handshake is queued. Its
// input stays in the socket, but a client that has hung up leaves the queue, even if it
// only half-closed: the last message of a handshake is the client's.
func (l *loop) handleQueuedHandshake(c *conn, ended bool) {
	if ended || hasHungUp(int(c.fd)) {
		l.peerEnded(c)
	}
}

// startHandshake starts an admitted handshake, unless its client has hung up.
func (l *loop) startHandshake(c *conn) {
	h := c.tls.handshake
	h.started = true
	if !c.readQueued {
		l.read(c, true)
	}
	l.engine.handshakes.startAdmitted(h)
}
