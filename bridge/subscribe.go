package bridge

import (
	"errors"
	"fmt"
	"slices"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// maxSubscriptions is how many one client may hold.
const maxSubscriptions = 64

// subscription is a client's: what it wishes, and from where on it has had that.
type subscription struct {
	id    string
	wish  wish
	from  uint64 // all replies behind this number
	early bool   // all live ones: the past of a stream was still being read
	ended bool
	upTo  uint64 // the last one, when it has ended
}

// demand is what a subscribe message, or a URL, asks for.
type demand struct {
	id       *string
	wish     wish
	snapshot bool
	since    *since
}

// name is the subscription's: the request's id.
func (d *demand) name() string {
	if d.id == nil {
		return ""
	}
	return *d.id
}

// Bounds of the filters of one client together. Each pattern is tried on every reply,
// with all that are connected waiting; the texts make the key of its group.
const (
	maxGlobs       = 256
	maxFilterBytes = 1 << 20
)

var (
	errTooLongFilters = fmt.Errorf("your filters are longer than %d bytes together; select with patterns, or ask for more and select in your page", maxFilterBytes)

	errTooManyGlobs = fmt.Errorf("your filters have more than %d patterns together; name what you want, or ask for more and select in your page", maxGlobs)

	errTooManySubscriptions = fmt.Errorf("you hold %d subscriptions, and no client may have more; unsubscribe from some", maxSubscriptions)
)

// errCalledOff answers a subscribe that did not begin before its unsubscribe.
var errCalledOff = errors.New("you unsubscribed before this bridge had what it waited for, the reply that you had last or the past of a stream; nothing has begun")

// subscribing is a subscription in progress: the past that it asks for may take several
// turns.
type subscribing struct {
	hub      *hub
	conn     engine.Conn
	session  *session
	demand   demand
	answered func() // called when it was answered

	started bool
	replay  *replay  // if it resumes
	reason  string   // why it does not resume although asked to
	picture *picture // if it gets a snapshot
}

// waits reports whether a subscription may have to wait, or to take several turns.
func (d *demand) waits() bool { return d.since != nil || d.snapshot }

// subscribe adds a subscription, once the reply that the client had last has been here
// too. A request for the past waits until that of a stream is there.
func (h *hub) subscribe(conn engine.Conn, s *session, d demand, answered func()) task {
	sub := &subscribing{hub: h, conn: conn, session: s, demand: d, answered: answered}
	if !d.waits() {
		return func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.begin(sub)
			return true
		}
	}
	w := &waiter{hub: h, session: s, subscribes: true, name: d.name(), do: sub.step}
	if d.since != nil && h.shared && d.since.Epoch == h.epoch {
		w.seq = d.since.Seq
	}
	w.calledOff = func() {
		h.say(conn, s, badRequest(d.id, errCalledOff))
		answered()
	}
	return w.step
}

// step works for one turn.
func (t *subscribing) step() (done bool) {
	if !t.started && !t.start() {
		return true
	}
	if t.replay != nil && !t.replay.turn() {
		return false
	}
	if t.demand.snapshot {
		if t.picture == nil {
			t.picture = t.hub.album.of(t.demand.wish.filter)
		}
		if !t.hub.paint(t.picture, t.session) {
			return false
		}
	}
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	return t.hub.begin(t)
}

// start prepares the replay and the snapshot. It is false if the subscription was
// refused, or its client is gone.
func (t *subscribing) start() bool {
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	t.started = true
	if t.session.gone {
		return false
	}
	if err := t.session.admits(t.demand); err != nil {
		t.refuse(err)
		return false
	}
	if t.demand.since != nil {
		t.replay, t.reason = t.hub.startReplay(t.demand, t.session)
		t.demand.snapshot = t.demand.snapshot || t.replay == nil // in place of the missing replies
	}
	return true
}

// refuse answers with an error. mu is held.
func (t *subscribing) refuse(err error) {
	t.hub.say(t.conn, t.session, badRequest(t.demand.id, err))
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
		t.replay, t.reason = nil, t.hub.forgotten()
		if !t.demand.snapshot {
			t.demand.snapshot = true
			return false
		}
	case n > fewEntries:
		return false
	default:
		t.replay.rest(n)
	}
	return true
}

// begin makes the subscription, answers, and delivers the past. It is false if that
// needs another turn. mu is held.
func (h *hub) begin(t *subscribing) (done bool) {
	d, s := t.demand, t.session
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
	if t.demand.snapshot {
		var ok bool
		if picture, ok = h.finish(t.picture, d.id); !ok {
			return false
		}
	}
	sub := subscription{id: d.name(), wish: d.wish, from: h.seq, early: h.loading}
	answer := okMessage{Op: "ok", ID: d.id}
	if d.since != nil {
		resumed := t.replay != nil
		answer.Resumed, answer.Reason, answer.Epoch, answer.Seq = &resumed, t.reason, h.epoch, &h.seq
		if resumed {
			sub.from = d.since.Seq
		}
	}
	var frames []engine.Frame
	if s.group == nil && s.told != h.link { // it has not heard the notices while it waited
		frames = append(frames, frameOf(brokerMessage{Op: "broker", State: h.link}))
	}
	frames = append(frames, frameOf(answer))
	subs := append(s.explicit(), sub)
	var replies []*reply
	if t.replay != nil {
		var missed []engine.Frame
		missed, replies = t.replay.missed(h.groups[groupKey(keysOf(subs, s))])
		frames = append(frames, missed...)
	}
	before := s.before
	if s.implicit {
		before = s.subs[0]
		before.ended, before.upTo = true, h.seq
	}
	if err := h.regroup(t.conn, s, subs, append(frames, picture...)); err != nil {
		t.refuse(err)
		return true
	}
	s.before = before
	s.group.forgo(replies)
	if t.replay != nil {
		h.shelf.reached(d.wish, s, t.replay.orders)
	}
	t.answered()
	return true
}

// admits tells whether the session may have another subscription.
func (s *session) admits(d demand) error {
	id, subs := d.name(), s.explicit()
	globs, bytes := d.wish.filterCost()
	for _, sub := range subs {
		g, b := sub.wish.filterCost()
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

// explicit are the subscriptions that the client asked for: the first one ends the
// one that it has without asking.
func (s *session) explicit() []subscription {
	if s.implicit {
		return nil
	}
	return slices.Clone(s.subs)
}

// unsubscribe removes a subscription, or one that waits for its beginning. mu is held.
func (h *hub) unsubscribe(conn engine.Conn, s *session, id *string, name string) {
	at := slices.IndexFunc(s.subs, func(sub subscription) bool { return !s.implicit && sub.id == name })
	if at < 0 && h.callOff(s, name) {
		h.say(conn, s, frameOf(okMessage{Op: "ok", ID: id}))
		return
	}
	if at < 0 {
		h.say(conn, s, badRequest(id, fmt.Errorf("you have no subscription %s", quote.Text(name))))
		return
	}
	left := slices.Delete(slices.Clone(s.subs), at, at+1)
	if err := h.regroup(conn, s, left, []engine.Frame{frameOf(okMessage{Op: "ok", ID: id})}); err != nil {
		h.say(conn, s, badRequest(id, err))
	}
}

// regroup brings a client with other subscriptions into the group of those who
// have the same. What its former group held back for later it gets now, unless the
// other one holds that, too. The error is that there is no room for another group. mu is held.
func (h *hub) regroup(conn engine.Conn, s *session, subs []subscription, first []engine.Frame) error {
	if s.gone {
		return nil
	}
	g, err := h.enter(subs, s)
	if err != nil {
		return err
	}
	if s.group != nil && s.group != g {
		first = append(s.group.owed(g), first...)
	}
	conn.Follow(g.log, first...)
	if s.group != nil {
		h.leave(s.group)
	} else {
		h.v1s++
		s.gaps = h.gaps // while it waited nobody told it
	}
	s.group, s.subs, s.implicit = g, subs, false
	h.showFigures()
	return nil
}

// say sends a frame behind everything that the client has been sent so far. mu is
// held.
func (h *hub) say(conn engine.Conn, s *session, frames ...engine.Frame) {
	if !s.gone {
		conn.Say(frames...)
	}
}
