package socketshark

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// Bounds of a client's events that wait until others are answered.
const (
	maxQueued      = 10_000
	maxQueuedBytes = 4 << 20
	maxQueuedFor   = time.Minute // longer, and a message is not passed on any more; nor is an event of a client that has gone
)

// maxLeftAtOnce is how many subscriptions may end on the engine's loop at a time.
const maxLeftAtOnce = 1000

// session is a connected client. It implements [dialect.Session].
//
// Its events are handled one after another: whoever sets busy handles them until none is left.
type session struct {
	d    *Dialect
	conn engine.Conn

	// mu guards the following fields, and some of its subscriptions.
	mu          sync.Mutex
	busy        bool
	closed      bool
	queue       []item
	queuedBytes int
	gone        chan struct{} // closed when the client has gone; nil until an event asks a backend
	// authInfo describes the client to backends once it has logged in.
	authInfo object
	loggedIn bool

	// The following fields belong to whoever has set busy.
	refusing      bool // the connection is being closed, and its events are ignored
	subscriptions map[string]*subscription
	held          int    // bytes of their names and extra fields
	subscribed    uint64 // counts them, for their order
}

// item is an event of the client, or a task that must wait for its turn.
type item struct {
	event []byte
	at    time.Time
	late  time.Duration
	task  func()
}

// Open keeps the connection.
func (s *session) Open(conn engine.Conn) { s.conn = conn }

// Message handles an event, or queues it until those before it are answered.
func (s *session) Message(_ engine.Conn, m engine.Message) {
	it := item{event: m.Payload, at: s.d.host.Now(), late: m.Late}
	s.mu.Lock()
	if s.busy {
		ok := s.enqueue(it)
		s.mu.Unlock()
		if !ok {
			s.conn.Close(1008, "too many events wait for the answers to others")
		}
		return
	}
	s.busy = true
	s.mu.Unlock()
	e := s.parse(it)
	if e.asks() {
		it.event = bytes.Clone(it.event)
		s.start(it)
		return
	}
	e.handle()
	s.next()
}

// enqueue queues an event. It returns false if too much waits. mu is held.
func (s *session) enqueue(it item) bool {
	if s.closed || s.refusing {
		return true
	}
	n := len(it.event)
	if len(s.queue) >= maxQueued || s.queuedBytes+n > maxQueuedBytes || s.d.waiting.Load() >= maxWaiting {
		s.refusing = true
		return false
	}
	it.event = bytes.Clone(it.event)
	s.queuedBytes += n
	s.d.waiting.Add(int64(n))
	s.queue = append(s.queue, it)
	return true
}

// start handles an event, and those that wait, on a goroutine. busy is set.
func (s *session) start(first item) {
	s.mu.Lock()
	if s.gone == nil {
		s.gone = make(chan struct{})
		if s.closed {
			close(s.gone)
		}
	}
	s.mu.Unlock()
	s.d.working.run(func() {
		for it, ok := first, true; ok; it, ok = s.pop() {
			s.do(it)
		}
	})
}

// next handles the events that wait, if there are any. busy is set.
func (s *session) next() {
	if it, ok := s.pop(); ok {
		s.start(it)
	}
}

// pop returns the next event that waits. If there is none, the session is not busy any more.
func (s *session) pop() (it item, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		s.busy, s.queue = false, nil
		return it, false
	}
	it, s.queue[0] = s.queue[0], item{}
	s.queue = s.queue[1:]
	s.queuedBytes -= len(it.event)
	s.d.waiting.Add(-int64(len(it.event)))
	return it, true
}

func (s *session) do(it item) {
	switch {
	case it.task != nil:
		it.task()
	case s.hasGone() && s.d.host.Now().Sub(it.at) > maxQueuedFor:
		// Nobody waits for the answer, and all subscriptions end anyway.
	default:
		s.parse(it).handle()
	}
}

// submit runs a task when the events before it are answered.
func (s *session) submit(task func()) {
	s.mu.Lock()
	if s.busy {
		s.queue = append(s.queue, item{task: task})
		s.mu.Unlock()
		return
	}
	s.busy = true
	s.mu.Unlock()
	s.start(item{task: task})
}

// Closed ends the client's subscriptions once its events are answered.
func (s *session) Closed(int, string) {
	s.mu.Lock()
	s.closed = true
	if s.gone != nil {
		close(s.gone)
	}
	if s.busy {
		s.queue = append(s.queue, item{task: s.leave})
		s.mu.Unlock()
		return
	}
	s.busy = true
	s.mu.Unlock()
	aside := len(s.subscriptions) > maxLeftAtOnce
	for _, sub := range s.subscriptions {
		aside = aside || sub.service.asksOnUnsubscribe
	}
	if aside {
		s.start(item{task: s.leave})
		return
	}
	s.leave()
	s.next()
}

// leave ends all subscriptions, the last first.
func (s *session) leave() {
	all := slices.SortedFunc(maps.Values(s.subscriptions), func(a, b *subscription) int { return cmp.Compare(b.number, a.number) })
	s.subscriptions = nil
	s.d.host.Metrics.Subscriptions(-len(all))
	for _, sub := range all {
		sub.end()
	}
	for _, sub := range all {
		sub.tellEnd()
	}
}

// closeForGap closes the connection, as messages may have been lost.
func (s *session) closeForGap() {
	s.conn.Close(1012, "messages may have been lost; subscribe again")
}

// fail closes the connection because a backend's answer is unusable.
func (s *session) fail() {
	s.refuse()
	s.conn.Close(1000, "")
}

// refuse ignores the client's events from now on.
func (s *session) refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusing = true
}

// send sends the client an object.
func (s *session) send(o object) { s.conn.Send(engine.Text(string(o.encode()))) }

// identity returns what describes the client to backends, and whether it has logged in.
func (s *session) identity() (authInfo object, loggedIn bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.authInfo, s.loggedIn
}

// logIn makes the client another one, for its subscriptions, too.
func (s *session) logIn(authInfo object) {
	s.mu.Lock()
	s.authInfo, s.loggedIn = authInfo, true
	s.mu.Unlock()
	for _, sub := range s.subscriptions {
		sub.topic.regroup(sub)
	}
}

// isRefusing reports whether the client's events are ignored.
func (s *session) isRefusing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refusing
}

// hasGone reports whether the client has gone.
func (s *session) hasGone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// goneSignal returns a channel that is closed when the client has gone.
func (s *session) goneSignal() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone == nil {
		s.gone = make(chan struct{})
		if s.closed {
			close(s.gone)
		}
	}
	return s.gone
}
