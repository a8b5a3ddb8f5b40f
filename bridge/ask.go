package bridge

import (
	"bytes"
	"errors"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// maxAsked is how many requests of one client may wait for the desk.
const maxAsked = 64

// errTooMuchAsked refuses a request of a client that has too many waiting.
var errTooMuchAsked = errors.New("too many requests of yours wait to be answered; wait for the answers")

// Bounds of the memory of messages that wait for the desk, in bytes. Short ones are
// bounded by their number.
const (
	shortMessage = 4 << 10
	maxKeptOfOne = 16 << 20
	maxKeptOfAll = 64 << 20
)

// errTooLongAsked refuses a request for which there is no room by then.
var errTooLongAsked = errors.New("the requests that wait to be answered are too long together; wait for the answers, or send shorter ones")

// keep takes room for so many bytes of a client's message, until letGo. It is false if
// there is none.
func (b *Bridge) keep(s *session, bytes int) bool {
	if bytes <= shortMessage {
		return true
	}
	n := int64(bytes)
	ofOne, ofAll := s.kept.Add(n), b.kept.Add(n)
	if ofOne <= maxKeptOfOne && ofAll <= maxKeptOfAll {
		return true
	}
	b.letGo(s, bytes)
	return false
}

func (b *Bridge) letGo(s *session, bytes int) {
	if bytes > shortMessage {
		s.kept.Add(-int64(bytes))
		b.kept.Add(-int64(bytes))
	}
}

// ask queues a request of a client for the desk, where it is done with the hub's
// lock held.
func (b *Bridge) ask(s *session, do func()) error {
	return b.askSteps(s, brief, 0, func(answered func()) task {
		return func() bool {
			b.hub.mu.Lock()
			defer b.hub.mu.Unlock()
			do()
			answered()
			return true
		}
	})
}

// askSteps is ask for what takes several turns, or waits, with so many bytes of the
// message. The task has no lock; it calls answered with the answer.
func (b *Bridge) askSteps(s *session, e effort, bytes int, make func(answered func()) task) error {
	if s.asked.Load() >= maxAsked {
		return errTooMuchAsked
	}
	if !b.keep(s, bytes) {
		return errTooLongAsked
	}
	s.asked.Add(1)
	step := make(func() { s.asked.Add(-1) })
	b.desk.steps(&s.lane, e, func() bool {
		// Nobody reads the answer to one that is gone, and it may be long.
		done := s.closed.Load() || step()
		if done {
			b.letGo(s, bytes)
		}
		return done
	})
	return nil
}

// answer queues an answer that needs no lock: it comes behind those to the requests
// before, and behind the replies that were there by then. It waits for none of the
// engine's loops, as the hub may.
func (b *Bridge) answer(s *session, conn engine.Conn, bytes int, make func() engine.Frame) error {
	return b.askSteps(s, unlocked, bytes, func(answered func()) task {
		return func() bool {
			conn.Say(make())
			answered()
			return true
		}
	})
}

// askPast is askSteps for a request that waits until the past of a stream was read.
func (b *Bridge) askPast(s *session, make func(answered func()) task) error {
	return b.askSteps(s, inTurns, 0, func(answered func()) task {
		return (&waiter{hub: b.hub, session: s, do: make(answered)}).step
	})
}

// maxEarly is how many messages may wait for the greeting of who sent them: as many
// as of the requests that are allowed later, for a page that does not wait for it.
const maxEarly = maxAsked

// waits queues what a client says while its greeting is on its way: the answer comes
// behind it. It is false when nothing is.
func (b *Bridge) waits(conn engine.Conn, c *client, s *session, in incoming) bool {
	switch early := s.early.Load(); {
	case early == 0:
		return false
	case early > maxEarly:
		conn.Close(tooMuchCode, errTooMuchAsked.Error())
		return true
	}
	size := len(in.payload)
	if !b.keep(s, size) {
		conn.Close(tooMuchCode, errTooLongAsked.Error())
		return true
	}
	in.payload = bytes.Clone(in.payload)
	s.early.Add(1)
	b.desk.doFor(&s.lane, effortOf(size), func() {
		if !c.Gone() {
			b.take(conn, c, in)
		}
		b.letGo(s, size)
		s.early.Add(-1)
	})
	return true
}

// effortOf is what it takes to read so many bytes.
func effortOf(bytes int) effort {
	if bytes > shortMessage {
		return inTurns
	}
	return brief
}

// tooMuchCode closes a client that does not wait for its answers (RFC 6455, 7.4.1:
// a message that violates a policy).
const tooMuchCode = 1008
