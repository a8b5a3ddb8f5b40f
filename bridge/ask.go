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

// ask queues a request of a client for the desk, where it is done with the hub's
// lock held.
func (b *Bridge) ask(s *session, do func()) error {
	return b.askSteps(s, func(answered func()) task {
		return func() bool {
			b.hub.mu.Lock()
			defer b.hub.mu.Unlock()
			do()
			answered()
			return true
		}
	})
}

// askSteps is ask for a request that takes several turns, or waits. Its task runs
// without the lock, and calls answered when it has answered.
func (b *Bridge) askSteps(s *session, make func(answered func()) task) error {
	if s.asked.Load() >= maxAsked {
		return errTooMuchAsked
	}
	s.asked.Add(1)
	step := make(func() { s.asked.Add(-1) })
	b.desk.steps(&s.lane, func() bool {
		return s.closed.Load() || step() // nobody reads the answer, which may be long
	})
	return nil
}

// askPast is askSteps for a request that waits until the past of a stream was read.
func (b *Bridge) askPast(s *session, make func(answered func()) task) error {
	return b.askSteps(s, func(answered func()) task {
		return (&waiter{hub: b.hub, session: s, do: make(answered)}).step
	})
}

// askAside is ask for what needs the engine's loops: the answer is made without the
// hub's lock, so that replies go on meanwhile.
func (b *Bridge) askAside(s *session, answer func() engine.Frame, conn engine.Conn) error {
	if s.asked.Load() >= maxAsked {
		return errTooMuchAsked
	}
	s.asked.Add(1)
	b.desk.doFor(&s.lane, func() {
		if s.closed.Load() {
			return
		}
		frame := answer()
		s.asked.Add(-1)
		b.hub.mu.Lock()
		defer b.hub.mu.Unlock()
		b.hub.say(conn, s, frame)
	})
	return nil
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
	in.payload = bytes.Clone(in.payload)
	s.early.Add(1)
	b.desk.doFor(&s.lane, func() {
		b.take(conn, c, in)
		s.early.Add(-1)
	})
	return true
}

// tooMuchCode closes a client that does not wait for its answers (RFC 6455, 7.4.1:
// a message that violates a policy).
const tooMuchCode = 1008
