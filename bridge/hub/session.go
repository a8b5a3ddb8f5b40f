package hub

import (
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// Session is a v1 client, as the hub knows it.
type Session struct {
	ID              string
	address         string          // see [quota.Address]
	queue           clientQueue     // its requests
	pendingRequests atomic.Int32    // requests without an answer
	preHello        atomic.Int32    // messages that wait for the hello, and the hello itself
	pendingBytes    atomic.Int64    // bytes of messages that wait
	Batch           time.Duration   // of subscriptions that do not say; it does not change
	Skipped         atomic.Bool     // it read too slowly, and skipped frames
	Connect         *ConnectRequest // until it is open; of its loop
	closed          atomic.Bool     // its connection has ended

	// The following fields are guarded by hub.mu.
	group      *group // nil before its first subscription
	subs       []subscription
	implicit   bool         // its subscription is the one that every client begins with
	initialSub subscription // that one, when it has ended
	waiting    []*waiter    // its requests that wait, the oldest first
	gapsBefore uint64       // how many gaps were told before its first subscription
	toldState  string       // the broker's state as it knows it
	gone       bool
}

// ConnectRequest is what a client asks for in its request.
type ConnectRequest struct {
	Subscribe *SubscribeRequest // nil for what everybody gets
	Silent    bool              // it hears nothing until it subscribes
	Batch     time.Duration
	Err       error
}

// NewSession returns a session that waits for its hello. address is whose quota it takes.
func NewSession(id, address string) *Session {
	s := &Session{ID: id, address: address}
	s.preHello.Store(1)
	return s
}

// Greet sends the hello, to which it adds the session, the time and what the hub knows,
// and has the client follow what it asked for: every reply, if it did not say. It must be
// called once, and never blocks.
func (h *Hub) Greet(conn Conn, s *Session, a *ConnectRequest, hello protocol.Hello) {
	h.queue.submitUrgent(func() { h.greet(conn, s, a, hello) })
}

func (h *Hub) greet(conn Conn, s *Session, a *ConnectRequest, hello protocol.Hello) {
	if s.closed.Load() {
		return // it has hung up
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	hello.Session, hello.Time = s.ID, h.now().UTC().Format(protocol.TimeFormat)
	hello.Epoch, hello.Seq, hello.Broker = h.Epoch, h.known(), h.brokerState
	defer s.preHello.Add(-1)
	s.toldState = h.brokerState
	frames := []engine.Frame{protocol.Encode(hello)}
	if a.Err != nil {
		frames = append(frames, protocol.BadRequest(nil, a.Err))
	}
	if a.Subscribe != nil {
		conn.Follow(nil, frames...)
		if d := *a.Subscribe; d.waits() {
			h.queue.submitFirst(&s.queue, multiTurn, h.subscribeTask(conn, s, d, func() {}))
		} else {
			h.finishSubscribe(&subscribing{hub: h, conn: conn, session: s, request: d, answered: func() {}})
		}
		return
	}
	var subs []subscription
	if !a.Silent {
		subs = []subscription{{spec: Spec{Filter: all(), Batch: s.Batch}, from: h.seq, duringPast: h.loading}}
	}
	if h.regroup(conn, s, subs, frames) != nil {
		conn.Close(1013, "the clients of your address have too many different subscriptions; try again later")
		return
	}
	s.implicit = !a.Silent
}

// Forget ends a session, once what its client has asked for before is done.
func (h *Hub) Forget(s *Session) {
	s.closed.Store(true)
	h.queue.submit(&s.queue, multiTurn, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.stopWaiting(s)
		if s.group != nil {
			h.leave(s.group)
			h.v1Clients--
			h.showFigures()
		}
		s.group, s.gone = nil, true
	})
}
