package hub

import (
	"strings"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// Notices is a set of kinds of messages that a subscription asks for beside replies.
type Notices = protocol.Notices

// writeNoticeKey writes what the notices of a viewer depend on, so that all clients of a group get
// the same.
func (v *Viewer) writeNoticeKey(b *strings.Builder, n Notices) {
	if v.view() == nil {
		return
	}
	b.WriteString(" to ")
	b.WriteString(v.View.ID())
	if n&protocol.NoticeCommands != 0 && v.ownBeside() {
		b.WriteString(" with own ")
		b.WriteString(v.Self)
	}
}

// Notice sends a message about an actor to all clients that asked for this kind and may hear
// whatever the actor says; with the actor "", to all that asked. The kind is one of [Notices].
func (h *Hub) Notice(kind Notices, actor string, frame engine.Frame) {
	h.notice(kind, frame, func(v *Viewer) bool { return actor == "" || v.view().SelectsAllOf(actor) })
}

// NoticeAbout sends a message that tells of a reply to all clients that asked for this kind and may
// hear that reply. known reports whether the reply has its keywords; otherwise clients whose view
// depends on these do not get it.
func (h *Hub) NoticeAbout(kind Notices, r *filter.Reply, known bool, frame engine.Frame) {
	h.notice(kind, frame, func(v *Viewer) bool { return v.mayKnow(r, known) })
}

func (h *Hub) notice(kind Notices, frame engine.Frame, may func(*Viewer) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.noticeLocked(kind, frame, may)
}

// noticeLocked is notice with mu held.
func (h *Hub) noticeLocked(kind Notices, frame engine.Frame, may func(*Viewer) bool) {
	for g := range h.noticed {
		if g.notices&kind != 0 && may(g.viewer) {
			g.log.Append(frame)
		}
	}
}

// mayKnow reports whether a viewer may know of a reply. known reports whether the reply has its
// keywords.
func (v *Viewer) mayKnow(r *filter.Reply, known bool) bool {
	if known || !v.view().NeedsKeywords() {
		return v.view().Match(r)
	}
	return v.view().MatchPart(r)
}
