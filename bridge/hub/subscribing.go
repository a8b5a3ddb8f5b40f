package hub

import (
	"errors"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// subscribing is a subscribe request in progress. A replay or a snapshot may take several
// turns; the subscription itself begins in one step under the lock, so that missed replies,
// the snapshot and live replies follow each other without gap or duplicate:
//
//	start ──► replay.turn, stepSnapshot ... ──► finish │ replay.finish, finishSnapshot ──► regroup
//	                                                   │ with the lock
type subscribing struct {
	hub      *Hub
	conn     Conn
	session  *Session
	request  SubscribeRequest
	answered func() // called once the request was answered

	started  bool
	asked    SubscribeRequest // the request as it came
	viewer   *Viewer          // what the client might hear when the replay began
	replay   *replay          // if it resumes
	reason   string           // why it does not resume, although the client asked to
	snapshot *cachedSnapshot  // if it gets a snapshot
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
			t.snapshot = t.hub.snapshots.of(t.request.Spec.Filter, t.viewer.view())
		}
		if !t.hub.stepSnapshot(t.snapshot, t.session) {
			return false
		}
	}
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	return t.finish()
}

// start checks the request and starts the replay. It returns false if the request was
// refused, or the client is gone.
func (t *subscribing) start() bool {
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	t.started, t.asked, t.viewer = true, t.request, t.session.viewer.Load()
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
	answer := protocol.BadRequest(t.request.ID, err)
	if no, ok := errors.AsType[*protocol.Rejection](err); ok {
		answer = protocol.Encode(protocol.Error{Op: "error", ID: t.request.ID, Code: no.Code, Message: no.Message})
	}
	t.hub.sayTo(t.conn, t.session, answer)
	t.answered()
}

// catchUp finishes the replay with the replies since its last turn if they are few.
// Otherwise it returns false, and another turn is needed. mu is held.
func (t *subscribing) catchUp() bool {
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

// finish adds the subscription, answers, and delivers what the client missed. It returns
// false if another turn is needed first. mu is held.
func (t *subscribing) finish() (done bool) {
	h, s := t.hub, t.session
	if s.gone {
		return true
	}
	if err := s.admits(t.request); err != nil {
		t.refuse(err)
		return true
	}
	if t.started && !t.viewer.sameReplies(s.viewer.Load()) { // what was found so far may not be told any more
		t.started, t.request, t.replay, t.reason, t.snapshot = false, t.asked, nil, "", nil
		return false
	}
	if !t.catchUp() {
		return false
	}
	var snapshot []engine.Frame
	if t.request.Snapshot {
		var ok bool
		if snapshot, ok = h.finishSnapshot(t.snapshot, t.request.ID); !ok {
			return false
		}
	}
	subs := append(s.explicit(), t.subscription())
	frames := t.answer()
	var replayed []*Reply
	if t.replay != nil {
		var missed []engine.Frame
		missed, replayed = t.replay.selectMissed(h.groups[groupKey(keysOf(subs, s))])
		frames = append(frames, missed...)
	}
	initial := s.endInitial(h.seq)
	if err := h.regroup(t.conn, s, subs, append(frames, snapshot...)); err != nil {
		t.refuse(err)
		return true
	}
	s.initialSub = initial
	s.group.discard(replayed)
	if t.replay != nil {
		h.subs.advance(t.request.Spec, s, t.replay.marks)
	}
	t.answered()
	return true
}

// subscription returns the subscription that begins now, or after the client's last reply
// if it resumes. mu is held.
func (t *subscribing) subscription() subscription {
	sub := subscription{id: t.request.name(), spec: t.request.Spec, from: t.hub.seq, duringPast: t.hub.loading}
	if t.replay != nil {
		sub.from, sub.replayed, sub.viewer = t.request.Since.Seq, t.hub.seq, t.viewer
	}
	return sub
}

// answer returns the frames that precede everything that the client missed. mu is held.
func (t *subscribing) answer() (frames []engine.Frame) {
	h := t.hub
	if t.session.group == nil && t.session.toldState != h.brokerState { // without a group it was not told of changes
		frames = append(frames, protocol.Encode(protocol.Broker{Op: "broker", State: h.brokerState}))
	}
	ok := protocol.OK{Op: "ok", ID: t.request.ID, Data: t.request.Data}
	if t.request.Since != nil {
		resumed := t.replay != nil
		if !resumed {
			ok.Oldest = h.history.oldest()
		}
		ok.Resumed, ok.Reason, ok.Epoch, ok.Seq = &resumed, t.reason, h.Epoch, &h.seq
	}
	return append(frames, protocol.Encode(ok))
}

// endInitial returns the client's initial subscription as it is once an explicit one begins.
func (s *Session) endInitial(seq uint64) subscription {
	if !s.implicit {
		return s.initialSub
	}
	initial := s.subs[0]
	initial.ended, initial.upTo = true, seq
	return initial
}
