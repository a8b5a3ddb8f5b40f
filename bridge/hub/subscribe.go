package hub

import (
	"errors"
	"fmt"
	"slices"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// maxSubscriptions is how many subscriptions one client may have.
const maxSubscriptions = 64

// subscription is a client's subscription, and the replies that it has delivered.
type subscription struct {
	id         string
	spec       Spec
	from       uint64 // it has delivered the replies after this number
	duringPast bool   // it began while the past of a stream was being read: then from is the end of that
	ended      bool
	upTo       uint64  // number of the last reply that it has delivered, if it has ended
	replayed   uint64  // it replayed the replies from there up to this one; 0 without a replay
	viewer     *Viewer // what the client might hear when they were replayed
}

// SubscribeRequest asks for a subscription, by a message or in a URL.
type SubscribeRequest struct {
	ID       *string // of the request; it names the subscription
	Spec     Spec
	Snapshot bool            // the subscription begins with a snapshot
	Since    *protocol.Since // the last reply that the client had; nil unless it resumes
	Data     []byte          // for the client, in the answer, as JSON; nil if there is none
}

// name returns the name of the subscription, which is the id of the request.
func (d *SubscribeRequest) name() string {
	if d.ID == nil {
		return ""
	}
	return *d.ID
}

// Bounds of all filters of one client together. Each pattern is tried on every reply, which
// delays all clients, and the filters' texts are part of the key of the client's group.
const (
	maxGlobs       = 256
	maxFilterBytes = 1 << 20
)

var (
	errFiltersTooLong = fmt.Errorf("your filters are longer than %d bytes together; select with patterns, or ask for more and select in your page", maxFilterBytes)

	errTooManyGlobs = fmt.Errorf("your filters have more than %d patterns together; name what you want, or ask for more and select in your page", maxGlobs)

	errRoomForbidden = &protocol.Rejection{Code: protocol.CodeForbidden, Message: "You may not hear one of these rooms; ask for those that your grants name."}

	errTooManySubscriptions = fmt.Errorf("you hold %d subscriptions, and no client may have more; unsubscribe from some", maxSubscriptions)
)

// errCancelled answers a subscribe request that was unsubscribed before it began.
var errCancelled = errors.New("you unsubscribed before the subscription began; it was waiting for the reply that you had last, or for the past of a stream")

// waits reports whether the request may have to wait, or take several turns.
func (d *SubscribeRequest) waits() bool { return d.Since != nil || d.Snapshot }

// Subscribe adds a subscription, and answers. longFilter, unless nil, is the text of a filter
// that takes long to parse, and replaces the one in the request. Subscribe fails if too many
// of the client's requests are unanswered.
func (h *Hub) Subscribe(conn Conn, s *Session, d SubscribeRequest, longFilter []byte) error {
	if longFilter != nil {
		return h.submitFiltered(conn, s, d.ID, longFilter, func(f *filter.Filter, answered func()) Task {
			d.Spec.Filter = f
			return h.subscribeTask(conn, s, d, answered)
		})
	}
	if d.waits() {
		return h.submitSteps(s, multiTurn, 0, func(answered func()) Task { return h.subscribeTask(conn, s, d, answered) })
	}
	if s.ahead.slow() > 0 {
		return h.submitSteps(s, brief, 0, func(answered func()) Task { return h.subscribeTask(conn, s, d, answered) })
	}
	s.ahead.addQuick(1)
	err := h.submitSteps(s, brief, 0, func(answered func()) Task {
		return h.subscribeTask(conn, s, d, func() {
			answered()
			s.ahead.addQuick(-1)
		})
	})
	if err != nil {
		s.ahead.addQuick(-1)
	}
	return err
}

// subscribeTask adds a subscription. A request to resume waits until this bridge has the
// client's last reply; a request for a replay or a snapshot waits until the past of a
// stream has been read.
func (h *Hub) subscribeTask(conn Conn, s *Session, d SubscribeRequest, answered func()) Task {
	sub := &subscribing{hub: h, conn: conn, session: s, request: d, answered: answered}
	if !d.waits() {
		return func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			sub.finish()
			return true
		}
	}
	w := &waiter{hub: h, session: s, subscribes: true, name: d.name(), run: sub.step}
	if d.Since != nil && h.sharedEpoch && d.Since.Epoch == h.Epoch {
		w.seq = d.Since.Seq
	}
	w.onCancel = func() {
		h.sayTo(conn, s, protocol.BadRequest(d.ID, errCancelled))
		answered()
	}
	return w.step
}

// admits returns an error if the session may not have another subscription.
func (s *Session) admits(d SubscribeRequest) error {
	if !s.viewer.Load().admits(&d.Spec) {
		return errRoomForbidden
	}
	id, subs := d.name(), s.explicit()
	globs, bytes := d.Spec.filterCost()
	for _, sub := range subs {
		g, b := sub.spec.filterCost()
		globs, bytes = globs+g, bytes+b
	}
	switch {
	case globs > maxGlobs:
		return errTooManyGlobs
	case bytes > maxFilterBytes:
		return errFiltersTooLong
	}
	if len(subs) >= maxSubscriptions {
		return errTooManySubscriptions
	}
	if slices.ContainsFunc(subs, func(sub subscription) bool { return sub.id == id }) {
		return fmt.Errorf("you have a subscription %s; choose another id, or unsubscribe from that one first", quote.Text(id))
	}
	return nil
}

// explicit returns the subscriptions that the client asked for. The first of them ends the
// initial subscription, with which every client begins unless it is silent.
func (s *Session) explicit() []subscription {
	if s.implicit {
		return nil
	}
	return slices.Clone(s.subs)
}

// Unsubscribe ends the subscription that has the request's id.
func (h *Hub) Unsubscribe(conn Conn, s *Session, id *string) error {
	name := (&SubscribeRequest{ID: id}).name()
	return h.submit(s, func() { h.unsubscribe(conn, s, id, name) })
}

// unsubscribe removes a subscription, or cancels one that has not begun. mu is held.
func (h *Hub) unsubscribe(conn Conn, s *Session, id *string, name string) {
	at := slices.IndexFunc(s.subs, func(sub subscription) bool { return !s.implicit && sub.id == name })
	if at < 0 && h.cancelWait(s, name) {
		h.sayTo(conn, s, protocol.Encode(protocol.OK{Op: "ok", ID: id}))
		return
	}
	if at < 0 {
		h.sayTo(conn, s, protocol.BadRequest(id, fmt.Errorf("you have no subscription %s", quote.Text(name))))
		return
	}
	left := slices.Delete(slices.Clone(s.subs), at, at+1)
	if err := h.regroup(conn, s, left, []engine.Frame{protocol.Encode(protocol.OK{Op: "ok", ID: id})}); err != nil {
		h.sayTo(conn, s, protocol.BadRequest(id, err))
	}
}

// regroup moves a client to the group with these subscriptions. Pending throttled replies are
// flushed unless the new group also has them pending. It fails if the client's address has no
// quota for another group. mu is held.
func (h *Hub) regroup(conn Conn, s *Session, subs []subscription, first []engine.Frame) error {
	if s.gone {
		return nil
	}
	g, err := h.join(subs, s)
	if err == nil {
		h.move(conn, s, g, subs, first)
	}
	return err
}

// move moves a client to a group that it has joined. mu is held.
func (h *Hub) move(conn Conn, s *Session, g *group, subs []subscription, first []engine.Frame) {
	if s.group != nil && s.group != g {
		first = append(s.group.flush(g, s.viewer.Load()), first...)
	}
	conn.Follow(g.log, first...)
	if s.group != nil {
		h.leave(s.group)
	} else {
		h.v1Clients++
		s.gapsBefore = h.gapCount // without a group it got no gap messages
	}
	s.noteRooms(subs)
	s.group, s.subs, s.implicit = g, subs, false
	h.updateFigures()
}

// sayTo sends frames after everything appended so far. mu is held.
func (h *Hub) sayTo(conn Conn, s *Session, frames ...engine.Frame) {
	if !s.gone {
		conn.SendInOrder(frames...)
	}
}
