package engine

import (
	"container/list"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// maxDecisions bounds the goroutines on which requests are decided. Further ones are queued. It
// is high because a decision may wait for another program, and those that only compute must not
// wait behind thousands of these; how many compute at the same time is up to the handler.
const maxDecisions = 16 << 10

// parked is the state of a connection whose request is decided elsewhere
// ([Accepted].Later).
type parked struct {
	conn    Conn
	later   func(context.Context) Decision
	ctx     context.Context
	cancel  context.CancelFunc
	upgrade upgrade

	decision Decision      // the result; the loop reads it once the goroutine has posted it
	entry    *list.Element // in decisions.queue, nil if it is not there; guarded by decisions.mu
}

// decisions runs [Accepted].Later for the parked connections of all loops.
type decisions struct {
	engine *Engine
	ctx    context.Context // the parent of all contexts
	stop   context.CancelFunc

	// mu guards the following fields, and entry of every parked.
	mu      sync.Mutex
	max     int // maxDecisions; lower in tests
	running int
	queue   list.List // of *parked
}

func newDecisions(e *Engine) *decisions {
	q := &decisions{engine: e, max: maxDecisions}
	q.ctx, q.stop = context.WithCancel(context.Background())
	return q
}

// submit starts a decision or queues it.
func (q *decisions) submit(p *parked) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running < q.max {
		q.start(p)
		return
	}
	p.entry = q.queue.PushBack(p)
}

// start runs a decision. mu is held.
func (q *decisions) start(p *parked) {
	q.running++
	q.engine.goroutines.Go(func() {
		defer q.finish(p) // even if the handler ends the goroutine
		p.decision = q.engine.callLater(p)
	})
}

// finish passes a decision to the connection's loop, and starts the next.
func (q *decisions) finish(p *parked) {
	p.conn.post(func(l *loop, c *conn) { l.decided(c, p) })
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running--
	if first := q.queue.Front(); first != nil {
		next := q.queue.Remove(first).(*parked)
		next.entry = nil
		q.start(next)
	}
}

// cancel ends a decision that is no longer awaited. One that is running ends by itself.
func (q *decisions) cancel(p *parked) {
	p.cancel()
	q.mu.Lock()
	defer q.mu.Unlock()
	if p.entry != nil {
		q.queue.Remove(p.entry)
		p.entry = nil
	}
}

// count returns the number of decisions that run or are queued.
func (q *decisions) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.running + q.queue.Len()
}

// park parks a connection whose request is decided elsewhere. rest is what the client sent
// after it. The connection may be evicted, as before its request: a decision may take as
// long, and an unauthorized client may cause it.
func (l *loop) park(c *conn, later func(context.Context) Decision, u upgrade, rest []byte) {
	d, p := l.engine.decisions, &parked{conn: l.handle(c), later: later, upgrade: u}
	p.ctx, p.cancel = context.WithCancel(d.ctx)
	c.state, c.incoming.parked, c.incoming.head = stateParked, p, nil
	l.engine.limiter.demote(c.incoming)
	l.wheel.schedule(c, l.wheel.now+ticks(l.engine.cfg.DecisionTimeout))
	d.submit(p)
	l.keepEarly(c, rest)
}

// keepEarly keeps what a client sends before the response to its request. It should send
// nothing (RFC 6455, 4.1), so there is little of it.
func (l *loop) keepEarly(c *conn, data []byte) {
	in := c.incoming
	if most := l.engine.cfg.MaxHead; len(in.head)+len(data) > most {
		l.reject(c, malformed(fmt.Sprintf("the client sent more than %d bytes before the response to its upgrade; it must wait for that", most)))
		return
	}
	in.head = append(in.head, data...)
}

// unpark ends the decision, if there is one.
func (l *loop) unpark(in *incoming) {
	if p := in.parked; p != nil {
		in.parked = nil
		l.engine.decisions.cancel(p)
	}
}

// decided continues with a connection whose request is decided, unless it is parked no
// longer.
func (l *loop) decided(c *conn, p *parked) {
	in := c.incoming
	if in == nil || in.parked != p {
		return
	}
	evicted, rejectErr := l.engine.limiter.admit(in, in.client.Addr())
	evicted.closeEvicted()
	var accepted Accepted
	if rejectErr == nil {
		if accepted, rejectErr = l.engine.callDecision(p.decision); rejectErr != nil {
			l.engine.limiter.demote(in)
		}
	}
	if rejectErr != nil {
		l.reject(c, rejectErr)
		return
	}
	early, response := in.head, p.upgrade.response(accepted.Subprotocol)
	accepted.deflate = p.upgrade.deflate()
	l.unpark(in)
	l.quantum = clientQuantum
	late, gen := c.late, c.gen
	l.open(c, accepted, response, early)
	if late && c.gen == gen {
		l.queueRead(c) // its next message is late only if it waits already
	}
}

// undecided rejects a request whose decision has taken too long. Clients that return
// all at once would only make that worse.
func (l *loop) undecided(c *conn) {
	l.reject(c, &RejectError{Status: http.StatusServiceUnavailable, Kind: KindUndecided,
		Reason:     "it took too long to find out whether this client may connect; try again later",
		RetryAfter: retryUndecided + rand.N(retryUndecided)})
}

// retryUndecided is the shortest time after which an undecided client is to try again.
const retryUndecided = 5 * time.Second
