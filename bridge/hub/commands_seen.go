package hub

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// sight is how much of a command a viewer may know. The command is a copy.
type sight uint8

const (
	nothing   sight = iota
	itsState        // it is the viewer's own, but the last reply is hidden from it
	lastReply       // the last reply, but not how many there were
	everyReply
)

// seesCommand returns how much of a command a viewer may know: it knows its own, and those to whose
// last reply it may listen. A command without a reply is seen by those that certainly hear its
// first one.
func (v *Viewer) seesCommand(c *knownCommand) sight {
	if v.view() == nil {
		return everyReply
	}
	last, known := &c.last, c.known
	if c.replies == 0 {
		last, known = &filter.Reply{Sender: c.consumer, RoutingKey: "reply." + c.commander, Code: string(actor.Running), CommandID: c.id, Commander: c.commander}, false
	}
	switch own := v.Own && v.Self != "" && v.Self == c.self; {
	case v.View.SelectsAllOf(last.Sender):
		return everyReply
	case v.mayKnow(last, known):
		return lastReply
	case !own:
		return nothing
	case !known && v.View.NeedsKeywords() || v.View.Hides(last):
		return itsState
	}
	return lastReply
}

// describe returns a command as a client is told of it.
func (c *knownCommand) describe(s sight) protocol.CommandInfo {
	m := protocol.CommandInfo{
		CommandID: c.id, Consumer: c.consumer, CommandString: c.text, Cut: c.cut, Commander: c.commander,
		State: string(c.state), Began: timeText(c.began), Ended: timeText(c.ended),
	}
	if c.client != "" {
		m.Client = &c.client
	}
	if s == itsState {
		return m
	}
	if c.message != "" {
		m.Message = &c.message
	}
	if c.replies > 0 {
		m.MessageCode, m.Seq = &c.last.Code, &c.seq
	}
	if s == everyReply {
		m.Replies = &c.replies
	}
	return m
}

// copied returns a copy that does not change. The registry's lock is held.
func (c *knownCommand) copied() *knownCommand {
	dup := *c
	dup.last.Keywords = append([]string(nil), c.last.Keywords...)
	return &dup
}

// timeText returns a time as clients get it; nil if it is not known.
func timeText(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(protocol.TimeFormat)
	return &text
}

// cutText returns a copy of a text, cut to about as many bytes.
func cutText(text string, most int) (short string, cut bool) {
	if len(text) <= most {
		return strings.Clone(text), false
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	return strings.Clone(text[:most]), true
}
