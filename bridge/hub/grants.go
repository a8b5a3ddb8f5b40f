package hub

import (
	"slices"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// formerViewer is what a client was allowed to hear up to a reply.
type formerViewer struct {
	viewer *Viewer
	upTo   uint64
}

// formerViewers is what a client was allowed to hear before its grants changed, oldest first.
type formerViewers struct {
	list      []formerViewer
	knownFrom uint64 // before the reply after this one it is not known
}

// maxFormerViewers is how many changes of its grants are remembered for a client. What it got before
// that is unknown when it resumes, so it gets it again.
const maxFormerViewers = 16

// SetViewer changes what a client may hear, for instance when its grants were changed or its
// credential was renewed. It sends the frames first. Subscriptions with a room that the client may
// not hear any more end, of which it is told. It never blocks.
//
// From then on it gets what it may hear now, without gap or duplicate: throttled replies that are
// pending are delivered at once if it may still hear them, and discarded otherwise. Throttle
// windows begin anew. Replies that came before the change may still be on their way to the client.
func (h *Hub) SetViewer(s *Session, v *Viewer, first ...engine.Frame) {
	h.queue.submitUrgent(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.setViewer(s, v, first)
	})
}

// setViewer is SetViewer with mu held.
func (h *Hub) setViewer(s *Session, v *Viewer, frames []engine.Frame) {
	if s.gone || s.closed.Load() {
		return
	}
	old, marks := s.viewer.Load(), h.marksOf(s)
	s.viewer.Store(v)
	if s.conn == nil {
		return // the hello tells it
	}
	h.selves.remove(old, s)
	h.selves.add(v, s)
	left, lost := s.admitted(v)
	for _, sub := range lost {
		frames = append(frames, protocol.Encode(sub.unsubscribed()))
	}
	same := v.sameReplies(old)
	if !same {
		s.remember(old, h.seq)
	}
	if s.group == nil || same && len(lost) == 0 {
		if len(frames) > 0 {
			h.sayTo(s.conn, s, frames...)
		}
		return
	}
	implicit := s.implicit
	g := h.joinAnyway(left, s)
	h.inheritMarks(s, marks)
	h.move(s.conn, s, g, left, frames)
	s.implicit = implicit
}

// specMarks is a subscription as a client asked for it, and its order marks.
type specMarks struct {
	*Spec
	orderMarks
}

// marksOf returns the order marks of a client's ordered subscriptions. mu is held.
func (h *Hub) marksOf(s *Session) (all []specMarks) {
	for i := range s.subs {
		if spec := &s.subs[i].spec; spec.Ordered {
			all = append(all, specMarks{spec, h.subs.all[spec.key(s)].order})
		}
	}
	return all
}

// inheritMarks makes the ordered subscriptions that a client has with its new view begin where they
// were with its former one. A subscription that has delivered something to others keeps its own
// marks, which may be lower: a higher one may be that of a reply that they did not get. mu is held.
func (h *Hub) inheritMarks(s *Session, marks []specMarks) {
	fresh := map[*sharedSub]bool{}
	for _, m := range marks {
		sub := h.subs.all[m.key(s)]
		if sub == nil || sub.order != nil && !fresh[sub] {
			continue
		}
		fresh[sub] = true
		for key, order := range m.orderMarks {
			sub.order.advance(key, order)
		}
	}
}

// admitted divides a client's subscriptions into those whose rooms a viewer may hear, and the
// others. mu is held.
func (s *Session) admitted(v *Viewer) (left, lost []subscription) {
	for _, sub := range s.subs {
		if v.admits(&sub.spec) {
			left = append(left, sub)
		} else {
			lost = append(lost, sub)
		}
	}
	return left, lost
}

func (s *subscription) unsubscribed() protocol.Unsubscribed {
	m := protocol.Unsubscribed{Op: "unsubscribed", Code: protocol.CodeForbidden}
	if s.id != "" {
		m.ID = &s.id
	}
	return m
}

// remember notes what the client was allowed to hear up to a reply. mu is held.
func (s *Session) remember(v *Viewer, upTo uint64) {
	if s.former == nil {
		s.former = &formerViewers{}
	}
	f := s.former
	if len(f.list) == maxFormerViewers {
		f.knownFrom = f.list[0].upTo
		f.list = slices.Delete(f.list, 0, 1)
	}
	f.list = append(f.list, formerViewer{v, upTo})
}
