package hub

import (
	"bytes"
	"errors"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// maxPendingRequests is how many unanswered requests one client may have.
const maxPendingRequests = 64

// ErrTooManyRequests is the error for a request of a client that has too many unanswered.
var ErrTooManyRequests = errors.New("too many requests of yours wait to be answered; wait for the answers")

// Bounds of the memory of messages that wait in the queue, in bytes. Short ones are
// bounded by their number.
const (
	shortMessage         = 4 << 10
	maxPendingBytes      = 16 << 20
	maxTotalPendingBytes = 64 << 20
)

// errRequestsTooLong is the error for a long request for which there is no room.
var errRequestsTooLong = errors.New("the requests that wait to be answered are too long together; wait for the answers, or send shorter ones")

// reserve reserves room for the bytes of a client's message, until release. It returns false
// if there is none.
func (h *Hub) reserve(s *Session, bytes int) bool {
	if bytes <= shortMessage {
		return true
	}
	n := int64(bytes)
	ofOne, ofAll := s.pendingBytes.Add(n), h.pendingBytes.Add(n)
	if ofOne <= maxPendingBytes && ofAll <= maxTotalPendingBytes {
		return true
	}
	h.release(s, bytes)
	return false
}

// release gives back what reserve took.
func (h *Hub) release(s *Session, bytes int) {
	if bytes > shortMessage {
		s.pendingBytes.Add(-int64(bytes))
		h.pendingBytes.Add(-int64(bytes))
	}
}

// submit queues a request that runs in one step, with the hub's lock held.
func (h *Hub) submit(s *Session, do func()) error {
	return h.submitSteps(s, brief, 0, func(answered func()) Task {
		return func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			do()
			answered()
			return true
		}
	})
}

// submitSteps queues a request that keeps bytes of its message in memory. The task runs
// without a lock, and calls answered with the answer.
func (h *Hub) submitSteps(s *Session, e effort, bytes int, make func(answered func()) Task) error {
	if s.pendingRequests.Load() >= maxPendingRequests {
		return ErrTooManyRequests
	}
	if !h.reserve(s, bytes) {
		return errRequestsTooLong
	}
	s.pendingRequests.Add(1)
	if e == multiTurn {
		s.ahead.addSlow(1)
	}
	step := make(func() { s.pendingRequests.Add(-1) })
	h.queue.submitSteps(&s.queue, e, func() bool {
		// The answer to a client that is gone would be lost, and may be long.
		done := s.closed.Load() || step()
		if done {
			h.release(s, bytes)
			if e == multiTurn {
				s.ahead.addSlow(-1)
			}
		}
		return done
	})
	return nil
}

// BehindSubscribe queues a client's command behind the subscriptions that it has just asked for, so that
// they bring the replies to the command, which otherwise may come before they begin. It does not wait for
// one that takes long, or that is behind such a request: waits is false then, and if there is none.
// Otherwise it is as [Hub.BeforeHello].
func (h *Hub) BehindSubscribe(s *Session, bytes int, prepare func() (do func())) (waits bool, err error) {
	switch before := s.ahead.quick(); {
	case before == 0:
		return false, nil
	case before > maxPreHello:
		return true, ErrTooManyRequests
	}
	return true, h.submitCounted(s, bytes, prepare, s.ahead.addQuick) // commands keep their order
}

// submitCounted queues a client's message, which counts until it was handled.
func (h *Hub) submitCounted(s *Session, bytes int, prepare func() (do func()), count func(n int32)) error {
	if !h.reserve(s, bytes) {
		return errRequestsTooLong
	}
	do := prepare()
	count(1)
	h.queue.submit(&s.queue, effortOf(bytes), func() {
		do()
		h.release(s, bytes)
		count(-1)
	})
	return nil
}

// SubmitTask queues a request whose answer takes several turns. The task runs without a lock,
// and calls answered with the answer.
func (h *Hub) SubmitTask(s *Session, make func(answered func()) Task) error {
	return h.submitSteps(s, multiTurn, 0, make)
}

// Answer queues an answer that needs no lock. It follows the answers to earlier requests and
// the replies appended by then.
func (h *Hub) Answer(conn Conn, s *Session, bytes int, make func() engine.Frame) error {
	return h.submitSteps(s, unlocked, bytes, func(answered func()) Task {
		return func() bool {
			conn.SendInOrder(make())
			answered()
			return true
		}
	})
}

// SubmitAfterPast is SubmitTask for a request that waits until the past of a stream has been read.
func (h *Hub) SubmitAfterPast(s *Session, make func(answered func()) Task) error {
	return h.submitAfterPast(s, make)
}

// submitAfterPast queues a request that waits until the past of a stream has been read.
func (h *Hub) submitAfterPast(s *Session, make func(answered func()) Task) error {
	return h.submitSteps(s, multiTurn, 0, func(answered func()) Task {
		return (&waiter{hub: h, session: s, run: make(answered)}).step
	})
}

// maxPreHello is how many messages of a client may wait for its hello, for which pages need
// not wait: as many as may wait for answers later.
const maxPreHello = maxPendingRequests

// BeforeHello queues a client's message until its hello is sent, so that the answer follows it.
// waits is false if the hello was already sent. Otherwise prepare is called; it must copy what
// it needs of the message, and returns a function to run after the hello. BeforeHello fails if
// too much is waiting.
func (h *Hub) BeforeHello(s *Session, bytes int, prepare func() (do func())) (waits bool, err error) {
	switch early := s.preHello.Load(); {
	case early == 0:
		return false, nil
	case early > maxPreHello:
		return true, ErrTooManyRequests
	}
	return true, h.submitCounted(s, bytes, prepare, func(n int32) { s.preHello.Add(n) })
}

// effortOf returns the effort of parsing so many bytes.
func effortOf(bytes int) effort {
	if bytes > shortMessage {
		return multiTurn
	}
	return brief
}

// Ping answers with the client's data and the number of the last reply. It takes the hub's
// lock only if that is free, so that no reply comes between the number and the answer; it
// never waits for it.
func (h *Hub) Ping(conn Conn, s *Session, id *string, data []byte) error {
	return h.submitSteps(s, unlocked, len(data), func(answered func()) Task {
		return func() bool {
			if h.mu.TryLock() {
				defer h.mu.Unlock()
			}
			conn.SendInOrder(protocol.Pong(id, data, h.Time(), h.Epoch, h.delivered.load()))
			answered()
			return true
		}
	})
}

// submitFiltered queues a request whose filter is too long to parse on a loop. The text may
// change after the call.
func (h *Hub) submitFiltered(conn Conn, s *Session, id *string, raw []byte, then func(f *filter.Filter, answered func()) Task) error {
	raw = bytes.Clone(raw)
	return h.submitSteps(s, multiTurn, len(raw), func(answered func()) Task {
		var next Task
		return func() bool {
			if next != nil {
				return next()
			}
			f, err := filter.Parse(raw)
			if err != nil {
				conn.SendInOrder(protocol.BadRequest(id, err))
				answered()
				return true
			}
			next, raw = then(f, answered), nil
			return false
		}
	})
}

// AfterRequests calls do once all requests of a client are answered.
func (h *Hub) AfterRequests(s *Session, do func()) {
	// Messages from before the hello are parsed in the client's queue and append their
	// requests to it. So those requests are queued when the first of these two tasks runs.
	h.queue.submit(&s.queue, brief, func() { h.queue.submit(&s.queue, unlocked, do) })
}

// Do runs a function on the queue's goroutine, where it may wait for the hub. Do never
// blocks.
func (h *Hub) Do(do func()) { h.queue.submitUrgent(do) }
