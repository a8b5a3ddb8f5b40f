package hub

import (
	"cmp"
	"slices"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// commandsPerTurn is how many commands are looked at in one turn of a request.
const commandsPerTurn = 64

// commandsRequest is a request for the commands in progress.
type commandsRequest struct {
	hub      *Hub
	conn     Conn
	session  *Session
	id       *string
	answered func()

	begun   bool
	viewer  *Viewer
	left    []*knownCommand // copies
	running []toldRunning   // those that ran when the copies were made
	buf     []byte
	some    bool
}

// toldRunning is a command that an answer says is running.
type toldRunning struct{ live, copy *knownCommand }

// Commands answers with the commands that run and the last ones that have ended, as far as the client
// may know of them.
func (h *Hub) Commands(conn Conn, s *Session, id *string) error {
	return h.submitAfterPast(s, func(answered func()) Task {
		return (&commandsRequest{hub: h, conn: conn, session: s, id: id, answered: answered}).step
	})
}

// step does one turn's work.
func (t *commandsRequest) step() (done bool) {
	if !t.begun {
		t.begin()
	}
	n := min(commandsPerTurn, len(t.left))
	for _, c := range t.left[:n] {
		s := t.viewer.seesCommand(c)
		if s == nothing {
			continue
		}
		if t.some {
			t.buf = append(t.buf, ',')
		}
		t.some = true
		t.buf = append(t.buf, protocol.JSON(c.describe(s))...)
	}
	if t.left = t.left[n:]; len(t.left) > 0 {
		return false
	}
	h := t.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if !t.viewer.sameReplies(t.session.viewer.Load()) { // it changed meanwhile
		t.begun = false
		return false
	}
	h.sayTo(t.conn, t.session, engine.Must(engine.NewText(append(t.buf, "]}"...))))
	// A notice of an end may have overtaken the answer, which says that the command runs.
	h.tellCommands(h.commands.endedOf(t.running))
	t.answered()
	return true
}

// endedOf returns those of the commands that have ended. Those to whom the end is hidden were told that
// they run.
func (g *commandRegistry) endedOf(all []toldRunning) (ended []*knownCommand) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range all {
		if c.live.state.ended() {
			c.live.show(c.copy)
			ended = append(ended, c.live)
		}
	}
	return ended
}

func (t *commandsRequest) begin() {
	g := t.hub.commands
	t.begun, t.some, t.viewer, t.left, t.running = true, false, t.session.viewer.Load(), nil, nil
	t.buf = append(make([]byte, engine.MaxHeaderSize, 4096), `{"op":"commands","id":`...)
	t.buf = append(append(t.buf, protocol.JSON(t.id)...), `,"commands":[`...)
	g.mu.Lock()
	for e := g.ended.Front(); e != nil; e = e.Next() {
		t.left = append(t.left, e.Value.(*knownCommand).copied())
	}
	for e := g.running.Front(); e != nil; e = e.Next() {
		c := e.Value.(*knownCommand)
		now := c.copied()
		c.show(now)
		t.left, t.running = append(t.left, now), append(t.running, toldRunning{c, now})
	}
	g.mu.Unlock()
	slices.SortStableFunc(t.left, func(a, b *knownCommand) int { return cmp.Or(a.began.Compare(b.began), cmp.Compare(a.seq, b.seq)) })
}
