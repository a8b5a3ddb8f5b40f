package wsclient

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Requests for the replies to this client's commands: those of this connection, and those that are unknown since earlier ones.
const (
	ownID = "own"
	oldID = "own-before"
)

// maxUnknown is how many commands whose end is not known are followed.
const maxUnknown = 200

// ownReplies has the commands of a client, and finds those that replies answer. It is guarded by the client's lock.
type ownReplies struct {
	client  *Client
	lane    *lane
	active  map[string]*Command
	unknown []*Command // oldest first
}

func newOwnReplies(c *Client) *ownReplies {
	o := &ownReplies{client: c, active: map[string]*Command{}}
	o.lane = newLane(func(r *Reply) bool { return o.match(r) != nil }, o.deliver)
	return o
}

// find returns the command with an id, or nil.
func (o *ownReplies) find(id string) *Command {
	if c := o.active[id]; c != nil {
		return c
	}
	for _, c := range o.unknown {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// match returns the command that a reply answers, or nil. The id is not enough: an actor that commands another one may
// pass it on.
func (o *ownReplies) match(r *Reply) *Command {
	if r.CommandID == "" {
		return nil
	}
	c := o.find(r.CommandID)
	if c == nil || !(r.Sender == c.Consumer || r.Sender != "" && strings.HasPrefix(c.Consumer, r.Sender+".")) {
		return nil
	}
	if c.commander == "" { // CLU's own server does not say its name: the first reply does
		name, ok := strings.CutSuffix(r.CommanderID, "."+c.Consumer)
		if !ok || name == "" {
			return nil
		}
	} else if r.CommanderID != c.commander {
		return nil
	}
	return c
}

// deliver handles a reply, or the bridge's result, which follows the replies that came with it.
func (o *ownReplies) deliver(e Event) {
	switch e := e.(type) {
	case *Reply:
		if c := o.match(e); c != nil {
			o.reply(c, e)
		}
	case result:
		o.result(e)
	}
}

// result is the bridge's word on how a command has ended.
type result struct {
	command *Command
	message *message
}

func (result) event() {}

func (o *ownReplies) reply(c *Command, r *Reply) {
	c.mu.Lock()
	c.commander = r.CommanderID
	c.keep(r)
	if r.Ends() {
		c.last = r
	}
	c.mu.Unlock()
	o.judge(c, r)
}

// judge says what a reply means for its command.
func (o *ownReplies) judge(c *Command, r *Reply) {
	switch {
	case c.doubted && r.Ends() && c.State() == Unknown:
	case c.doubted, !r.Ends(): // the bridge's result says if this was its end, or that of an earlier one with its id
		o.set(c, Running, nil)
	case r.Fails():
		text, code := r.Text(), ""
		if text == "" {
			text = c.Consumer + " failed without giving a reason"
		}
		if returned(r) {
			code = codeReturned
		}
		o.set(c, Failed, &CommandError{Code: code, Message: text, Reply: r})
	default:
		o.set(c, Done, nil)
	}
}

// returned reports whether the bridge answers in the name of a consumer that does not exist: its own commander's name is
// in the routing key, and it is the sender of the message.
func returned(r *Reply) bool {
	name, ok := strings.CutPrefix(r.RoutingKey, "reply.")
	return ok && r.Code == "f" && strings.HasPrefix(r.CommanderID, name+".")
}

func (o *ownReplies) result(e result) {
	c, m := e.command, e.message
	if c.State().Final() {
		return
	}
	c.mu.Lock()
	last := c.last
	c.mu.Unlock()
	c.doubted = false
	if last != nil && last.Ends() && (m.Status == "done" && !last.Fails() || m.Status == "failed" && last.Fails()) {
		o.judge(c, last) // it came before the bridge had confirmed the command
		return
	}
	switch m.Status {
	case "done":
		o.set(c, Done, nil)
	case "failed":
		o.set(c, Failed, &CommandError{Message: m.Message})
	default:
		if c.State().Active() {
			o.set(c, Unknown, &CommandError{Code: m.Status, Message: "unknown: " + m.Message})
		}
	}
}

// refused handles the bridge's error about a command.
func (o *ownReplies) refused(c *Command, code, text string) {
	switch {
	case c.State().Final():
	case wasNotSent(code):
		o.set(c, Rejected, &CommandError{Code: code, Message: text})
	case code == codeReturned:
		o.set(c, Failed, &CommandError{Code: code, Message: text})
	case c.State().Active():
		o.set(c, Unknown, &CommandError{Code: code, Message: text})
	}
}

// commandError handles an error without the id of a request.
func (o *ownReplies) commandError(m *message) {
	if c := o.find(m.CommandID); m.Op == "error" && c != nil {
		o.refused(c, m.Code, m.Message)
	}
}

// set changes the state of a command.
func (o *ownReplies) set(c *Command, state CommandState, err *CommandError) {
	c.mu.Lock()
	before := c.state
	if err != nil {
		err.State, err.Command = state, c
	}
	c.state, c.err = state, err
	close(c.changed)
	c.changed = make(chan struct{})
	if before.Active() && !state.Active() {
		if c.timer != nil {
			c.timer.Stop()
		}
		if !c.ended {
			c.ended = true
			close(c.done)
		}
	}
	if state.Final() && !before.Final() {
		close(c.final)
	}
	c.mu.Unlock()

	delete(o.active, c.ID)
	o.unknown = slices.DeleteFunc(o.unknown, func(other *Command) bool { return other == c })
	switch {
	case state == Unknown:
		if o.unknown = append(o.unknown, c); len(o.unknown) > maxUnknown {
			o.unknown = slices.Delete(o.unknown, 0, 1)
		}
	case state.Active():
		o.active[c.ID] = c
	}
	if hook := o.client.cfg.OnCommand; hook != nil && before != state {
		o.client.hooks.add(func() { hook(c, state) })
	}
}

// disconnected ends the commands of a lost connection. One that never left for the socket was not sent.
func (o *ownReplies) disconnected(s *session) {
	for _, c := range o.unknown {
		c.doubted, c.earlier = false, true // nothing will tell
	}
	for _, c := range o.active {
		c.earlier = true
		if c.doubted && c.last != nil {
			c.doubted = false
			o.judge(c, c.last)
			continue
		}
		c.doubted = false
		if c.written {
			o.set(c, Unknown, &CommandError{Message: "unknown: the connection was lost; the actor may still be executing it"})
		} else {
			o.set(c, Rejected, &CommandError{Message: unsent("the connection was lost before it was sent")})
		}
	}
}

// leaves decides about a command whose turn for the socket has come, and reports whether it is sent.
func (o *ownReplies) leaves(m outgoing) bool {
	c := m.command
	if !c.State().Active() {
		return false
	}
	if time.Now().After(m.expires) {
		if s := o.client.session; s != nil {
			delete(s.pending, c.request)
		}
		o.set(c, Rejected, &CommandError{Code: "expired", Message: unsent("it has waited too long for the connection")})
		return false
	}
	c.written = true
	return true
}

func unsent(why string) string {
	return fmt.Sprintf("The command was not sent and will not be sent later: %s.", why)
}

// request asks for the replies to commands whose end is not known since an earlier connection, and reports whether there
// are any.
func (o *ownReplies) request(s *session, others bool) bool {
	var ids []string
	for _, c := range o.unknown {
		if id := literal(c.ID); len(id) <= 255 {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return false
	}
	fields := map[string]any{"op": "subscribe", "filter": map[string]any{"command_id": ids}}
	since := o.lane.cursor()
	if h := s.hello; since != nil && since.Epoch != h.Epoch && h.Seq != nil {
		// The past is gone. What comes from here on is not, and the next connection goes on from here.
		since = &Position{Epoch: h.Epoch, Seq: *h.Seq}
		o.lane.start(*since)
	}
	if since != nil {
		fields["since"] = since
	}
	o.client.resume(s, oldID, o.lane, since, others)
	s.subOld = true
	s.ask(oldID, fields, o.subscribed(s, oldID))
	return true
}

// subscribe asks for the replies to the commands of a connection, before the first of them.
func (o *ownReplies) subscribe(s *session) {
	if s.subOwn {
		return
	}
	s.subOwn = true
	s.disorder()
	fields := map[string]any{"op": "subscribe", "filter": map[string]any{"commander": "me"}}
	if o.client.placed { // its first reply may come before the bridge has this request
		fields["since"] = o.client.position
		if !s.subOld {
			o.lane.start(o.client.position)
		}
	}
	o.lane.live = true
	s.ask(ownID, fields, o.subscribed(s, ownID))
}

// subscribed handles the answer. If it is an error, or the past is gone, the bridge's results still tell the ends.
func (o *ownReplies) subscribed(s *session, id string) func(*message, error) bool {
	return func(m *message, err error) bool {
		if m != nil {
			s.progress.answer(nil, m)
			o.lane.live = true
			o.client.answered(s, id)
		}
		return false
	}
}

// caughtUp ends the request for replies to commands of earlier connections once all of them have ended. One that runs again
// has not.
func (o *ownReplies) caughtUp(s *session) {
	if s.subOld && len(o.unknown) == 0 && !o.anyEarlier() {
		s.subOld = false
		s.ask(oldID, map[string]any{"op": "unsubscribe"}, func(*message, error) bool { return false })
	}
}

// anyEarlier reports whether a command of an earlier connection is running again.
func (o *ownReplies) anyEarlier() bool {
	for _, c := range o.active {
		if c.earlier {
			return true
		}
	}
	return false
}

// globEscaper makes a glob of a text.
var globEscaper = strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]")
