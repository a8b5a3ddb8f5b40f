package hub

import (
	"iter"
	"slices"
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
	itsEnd          // only that it runs no longer: the last reply is hidden
	itsState        // it is the viewer's own, but the last reply is hidden from it
	lastReply       // the last reply, but not how many there were
	everyReply
)

// seesCommand returns how much of a command a viewer may know: it knows its own, and those to whose
// last reply it may listen. A command without a reply is seen by those that certainly hear its
// first one, whichever actor that comes from.
func (v *Viewer) seesCommand(c *knownCommand) (s sight) {
	if v.view() == nil {
		return everyReply
	}
	own := v.Own && v.Self != "" && v.Self == c.self
	if c.replies > 0 {
		return v.seesReply(&c.last, c.known, own)
	}
	s = everyReply
	for name := range receivers(c.consumer) {
		first := &filter.Reply{Sender: name, RoutingKey: "reply." + c.commander, Code: string(actor.Running), CommandID: c.id, Commander: c.commander}
		s = min(s, v.seesReply(first, false, own))
	}
	return s
}

// receivers yields the actors that may answer a command: one to dome.x is taken by dome.x and by dome.
func receivers(consumer string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(consumer) {
			if consumer[i] == '.' && !yield(consumer[:i]) {
				return
			}
		}
		yield(consumer)
	}
}

// seesReply returns how much of a command a viewer may know that has this last reply. known reports
// whether the reply has its keywords, and own whether the command is the viewer's own.
func (v *Viewer) seesReply(last *filter.Reply, known, own bool) sight {
	switch {
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
	switch why := unknownHidden; s {
	case itsEnd:
		m.State, m.Ended, m.Message = string(commandUnknown), nil, &why
		return m
	case itsState:
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

// maxShown bounds the kinds of last replies of a command that are remembered.
const maxShown = 8

// show remembers a copy of a command that runs, as clients are told of it now. The registry's lock is
// held.
func (c *knownCommand) show(now *knownCommand) {
	if now.state.ended() || slices.ContainsFunc(c.shown, now.seenLike) {
		return
	}
	if len(c.shown) == maxShown {
		c.shown = append(c.shown[:0:0], c.shown[1:]...)
	}
	c.shown = append(c.shown, now)
}

// seenLike reports whether two states of a command are seen by the same viewers.
func (c *knownCommand) seenLike(o *knownCommand) bool {
	a, b := &c.last, &o.last
	return (c.replies == 0) == (o.replies == 0) && c.self == o.self && c.known == o.known && a.Sender == b.Sender &&
		a.RoutingKey == b.RoutingKey && a.Code == b.Code && a.Internal == b.Internal && slices.Equal(a.Keywords, b.Keywords)
}

// copied returns a copy that does not change. The registry's lock is held.
func (c *knownCommand) copied() *knownCommand {
	dup := *c
	dup.shown = nil
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
