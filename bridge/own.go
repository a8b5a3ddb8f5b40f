package bridge

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// Bounds of the commands whose replies are known as their sender's.
const (
	maxOwn        = 100_000 // in all
	maxOwnSession = 256     // of one session
	longestWait   = time.Hour
)

// own knows to which session a command belongs, from before it is sent until its
// last reply.
type own struct {
	// mu guards the following field, and the fields of what is in it.
	mu       sync.Mutex
	commands map[string]*owned // by command id
}

// owned is a command of a session's.
type owned struct {
	session *session
	conn    engine.Conn
	asked   *asked // nil when nobody wants to hear of its end
	told    bool   // who asked has heard that the bridge waits no longer
	replies int
}

// awaited tells whether somebody still waits to hear of its end.
func (c *owned) awaited() bool { return c.asked != nil && !c.told }

// asked is a request to hear of a command's end.
type asked struct {
	id    *string
	began time.Time
	// timeout answers that the command is on its way, starts its timeout, and gives
	// how to stop that.
	timeout func() (stop func() bool)
	stop    func() bool
}

func newOwn() *own { return &own{commands: map[string]*owned{}} }

// The reasons for which a command's end cannot be told.
var (
	errTooManyOwn = errors.New("too many commands of yours are under way; wait for the end of some, or send it in CLU's own form")
	errOwnTwice   = errors.New("a command with this command_id is under way; choose another, or leave it out")
)

// add notes a command before it is sent. Without room, or if another has its id,
// it belongs to nobody. One of the session's own that took too long gives way.
func (o *own) add(commandID string, c *owned) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if other := o.commands[commandID]; other != nil {
		if other.session != c.session || !other.told {
			return errOwnTwice
		}
		o.drop(commandID, other)
	}
	if len(c.session.commands) >= maxOwnSession {
		o.pushOut(c.session)
	}
	if len(o.commands) >= maxOwn || len(c.session.commands) >= maxOwnSession {
		return errTooManyOwn
	}
	if c.session.commands == nil {
		c.session.commands = map[string]*owned{}
	}
	c.session.commands[commandID], o.commands[commandID] = c, c
	if c.asked == nil {
		o.remember(c.session, commandID)
	} else {
		c.asked.stop = c.asked.timeout()
	}
	return nil
}

// remember notes a command whose end nobody waits for. mu is held.
func (o *own) remember(s *session, commandID string) {
	if len(s.unasked) >= 2*maxOwnSession { // most of them have ended
		s.unasked = slices.DeleteFunc(s.unasked, func(id string) bool {
			c := s.commands[id]
			return c == nil || c.awaited() || id == commandID // an earlier one of that id
		})
	}
	s.unasked = append(s.unasked, commandID)
}

// pushOut forgets the session's oldest command whose end nobody waits for: its last
// reply may be lost. mu is held.
func (o *own) pushOut(s *session) {
	for len(s.unasked) > 0 {
		id := s.unasked[0]
		s.unasked = s.unasked[1:]
		if c := s.commands[id]; c != nil && !c.awaited() && !slices.Contains(s.unasked, id) { // an id may be used again
			o.drop(id, c)
			return
		}
	}
}

// of gives the session to whose command a reply answers, or nil.
func (o *own) of(commandID string) *session {
	if commandID == "" {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if c := o.commands[commandID]; c != nil {
		return c.session
	}
	return nil
}

// replied counts a reply to a command, and gives the command if it is somebody's.
// With its last one it is forgotten.
func (o *own) replied(commandID string, last bool) *owned {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.commands[commandID]
	if c == nil {
		return nil
	}
	c.replies++
	if last {
		o.drop(commandID, c)
	}
	return c
}

// forget forgets a command, if it is this one, and tells whether it was there and
// nobody has heard of an end of it.
func (o *own) forget(commandID string, c *owned) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if c == nil || o.commands[commandID] != c {
		return false
	}
	o.drop(commandID, c)
	return !c.told
}

// giveUp notes that who asked for a command's end waits no longer, and tells whether
// it did until now. The replies that still come are to the session's command.
func (o *own) giveUp(commandID string, c *owned) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.commands[commandID] != c {
		return false
	}
	c.told = true
	o.remember(c.session, commandID)
	return true
}

// drop is called with mu held.
func (o *own) drop(commandID string, c *owned) {
	delete(o.commands, commandID)
	if delete(c.session.commands, commandID); len(c.session.commands) == 0 {
		c.session.commands, c.session.unasked = nil, nil
	}
	if c.asked != nil {
		c.asked.stop()
	}
}

// leave forgets the commands of a session that has ended.
func (o *own) leave(s *session) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, c := range s.commands {
		o.drop(id, c)
	}
}

// follows sees to those who wait for the end of the command that a reply ends:
// they hear of it right behind the reply. mu is held.
func (h *hub) follows(r *reply) {
	if r.CommandID == "" {
		return
	}
	c := h.own.replied(r.CommandID, r.ends())
	if c == nil || !c.awaited() || !r.ends() {
		return
	}
	status := "done"
	if r.fails() {
		status = "failed"
	}
	h.result(c, resultMessage{CommandID: r.CommandID, Status: status, MessageCode: r.Code})
}

// result tells of a command's end. mu is held.
func (h *hub) result(c *owned, m resultMessage) {
	m.Op, m.ID = "result", c.asked.id
	m.Replies = c.replies
	m.DurationMS = float64(time.Since(c.asked.began).Microseconds()) / 1000
	h.say(c.conn, c.session, frameOf(m))
}

// timeout ends the waiting for a command's end.
func (h *hub) timeout(commandID string, c *owned) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.own.giveUp(commandID, c) {
		h.result(c, resultMessage{CommandID: commandID, Status: "timeout",
			Message: "the bridge waits no longer; the actor may go on"})
	}
}
