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
	from       uint64 // it has delivered all behind this number
	duringPast bool   // it began while the past of a stream was being read: it has delivered all behind that
	ended      bool
	upTo       uint64 // and up to this one, if it has ended
}

// SubscribeRequest is a subscription that a message or a URL asks for.
type SubscribeRequest struct {
	ID       *string
	Spec     Spec
	Snapshot bool
	Since    *protocol.Since
}

// name returns the name of the subscription, which is the request's id.
func (d *SubscribeRequest) name() string {
	if d.ID == nil {
		return ""
	}
	return *d.ID
}

// Bounds of the filters of one client together. Each pattern is tried on every reply while
// all clients wait, and the texts make the key of the client's group.
const (
	maxGlobs       = 256
	maxFilterBytes = 1 << 20
)

var (
	errTooLongFilters = fmt.Errorf("your filters are longer than %d bytes together; select with patterns, or ask for more and select in your page", maxFilterBytes)

	errTooManyGlobs = fmt.Errorf("your filters have more than %d patterns together; name what you want, or ask for more and select in your page", maxGlobs)

	errTooManySubscriptions = fmt.Errorf("you hold %d subscriptions, and no client may have more; unsubscribe from some", maxSubscriptions)
)

// errCancelled answers a subscribe whose unsubscribe came before it began.
var errCancelled = errors.New("you unsubscribed before this bridge had what it waited for, the reply that you had last or the past of a stream; nothing has begun")

// subscribing is a subscribe request in progress. A replay or a snapshot may take several
// turns.
type subscribing struct {
	hub      *Hub
	conn     Conn
	session  *Session
	request  SubscribeRequest
	answered func() // called when it was answered

	started  bool
	replay   *replay         // if it resumes
	reason   string          // why it does not resume although asked to
	snapshot *cachedSnapshot // if it gets a snapshot
}

// waits reports whether the request may have to wait, or take several turns.
func (d *SubscribeRequest) waits() bool { return d.Since != nil || d.Snapshot }

// Subscribe adds a subscription, and answers. longFilter is the text of a filter that takes
// long to parse, in place of the one in the request; nil if there is none. The error is that
// too many of the client's requests are unanswered.
func (h *Hub) Subscribe(conn Conn, s *Session, d SubscribeRequest, longFilter []byte) error {
	if longFilter != nil {
		return h.submitFiltered(conn, s, d.ID, longFilter, func(f *filter.Filter, answered func()) Task {
			d.Spec.Filter = f
			return h.subscribeTask(conn, s, d, answered)
		})
	}
	e := brief
	if d.waits() {
		e = multiTurn
	}
	return h.submitSteps(s, e, 0, func(answered func()) Task { return h.subscribeTask(conn, s, d, answered) })
}

// subscribeTask adds a subscription. A request to resume waits until the client's last reply
// has been here, and both kinds of past until that of a stream was read.
func (h *Hub) subscribeTask(conn Conn, s *Session, d SubscribeRequest, answered func()) Task {
	sub := &subscribing{hub: h, conn: conn, session: s, request: d, answered: answered}
	if !d.waits() {
		return func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.finishSubscribe(sub)
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

// step does one turn's work.
func (t *subscribing) step() (done bool) {
	if !t.started && !t.start() {
		return true
	}
	if t.replay != nil && !t.replay.turn() {
		return false
	}
	if t.request.Snapshot {
		if t.snapshot == nil {
			t.snapshot = t.hub.snapshots.of(t.request.Spec.Filter)
		}
		if !t.hub.stepSnapshot(t.snapshot, t.session) {
			return false
		}
	}
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	return t.hub.finishSubscribe(t)
}

// start prepares the replay and the snapshot. It is false if the request was refused, or the
// client is gone.
func (t *subscribing) start() bool {
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	t.started = true
	if t.session.gone {
		return false
	}
	if err := t.session.admits(t.request); err != nil {
		t.refuse(err)
		return false
	}
	if t.request.Since != nil {
		t.replay, t.reason = t.hub.startReplay(t.request, t.session)
		t.request.Snapshot = t.request.Snapshot || t.replay == nil // in place of the missing replies
	}
	return true
}

// refuse answers with an error. mu is held.
func (t *subscribing) refuse(err error) {
	t.hub.sayTo(t.conn, t.session, protocol.BadRequest(t.request.ID, err))
	t.answered()
}

// caughtUp ends the replay with the replies since its last turn if they are few; else
// there is another turn. mu is held.
func (t *subscribing) caughtUp() bool {
	if t.replay == nil {
		return true
	}
	switch n, ok := t.replay.left(); {
	case !ok: // the history was too short for it
		t.replay, t.reason = nil, t.hub.forgottenReason()
		if !t.request.Snapshot {
			t.request.Snapshot = true
			return false
		}
	case n > maxLockedEntries:
		return false
	default:
		t.replay.finish(n)
	}
	return true
}

// finishSubscribe adds the subscription, answers, and delivers the past. It is false if that needs
// another turn. mu is held.
func (h *Hub) finishSubscribe(t *subscribing) (done bool) {
	d, s := t.request, t.session
	if s.gone {
		return true
	}
	if err := s.admits(d); err != nil {
		t.refuse(err)
		return true
	}
	if !t.caughtUp() {
		return false
	}
	var picture []engine.Frame
	if t.request.Snapshot {
		var ok bool
		if picture, ok = h.finishSnapshot(t.snapshot, d.ID); !ok {
			return false
		}
	}
	sub := subscription{id: d.name(), spec: d.Spec, from: h.seq, duringPast: h.loading}
	answer := protocol.OK{Op: "ok", ID: d.ID}
	if d.Since != nil {
		resumed := t.replay != nil
		answer.Resumed, answer.Reason, answer.Epoch, answer.Seq = &resumed, t.reason, h.Epoch, &h.seq
		if resumed {
			sub.from = d.Since.Seq
		}
	}
	var frames []engine.Frame
	if s.group == nil && s.toldState != h.brokerState { // it was told nothing while it waited
		frames = append(frames, protocol.Encode(protocol.Broker{Op: "broker", State: h.brokerState}))
	}
	frames = append(frames, protocol.Encode(answer))
	subs := append(s.explicit(), sub)
	var replies []*Reply
	if t.replay != nil {
		var missed []engine.Frame
		missed, replies = t.replay.selectMissed(h.groups[groupKey(keysOf(subs, s))])
		frames = append(frames, missed...)
	}
	before := s.initialSub
	if s.implicit {
		before = s.subs[0]
		before.ended, before.upTo = true, h.seq
	}
	if err := h.regroup(t.conn, s, subs, append(frames, picture...)); err != nil {
		t.refuse(err)
		return true
	}
	s.initialSub = before
	s.group.discard(replies)
	if t.replay != nil {
		h.subs.advance(d.Spec, s, t.replay.marks)
	}
	t.answered()
	return true
}

// admits returns why the session may not have another subscription, or nil.
func (s *Session) admits(d SubscribeRequest) error {
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
		return errTooLongFilters
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
// one that every client begins with.
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

// unsubscribe removes a subscription, or one that waits for its beginning. mu is held.
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
// flushed unless the new group also has them pending. The error is that its address has no
// quota for another group. mu is held.
func (h *Hub) regroup(conn Conn, s *Session, subs []subscription, first []engine.Frame) error {
	if s.gone {
		return nil
	}
	g, err := h.join(subs, s)
	if err != nil {
		return err
	}
	if s.group != nil && s.group != g {
		first = append(s.group.flush(g), first...)
	}
	conn.Follow(g.log, first...)
	if s.group != nil {
		h.leave(s.group)
	} else {
		h.v1Clients++
		s.gapsBefore = h.gapCount // it was told none while it waited
	}
	s.group, s.subs, s.implicit = g, subs, false
	h.showFigures()
	return nil
}

// sayTo sends frames behind everything that was appended so far. mu is held.
func (h *Hub) sayTo(conn Conn, s *Session, frames ...engine.Frame) {
	if !s.gone {
		conn.SendInOrder(frames...)
	}
}
