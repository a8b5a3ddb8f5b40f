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
	errTooManyGroups        = errors.New("the clients of this bridge have too many different subscriptions; ask for what others ask for")
)

// errCalledOff answers a subscribe that did not begin before its unsubscribe.
var errCalledOff = errors.New("you unsubscribed before this bridge had what it waited for, the reply that you had last or the past of a stream; nothing has begun")

// subscribe adds a subscription, once the reply that the client had last has been
// here too. What asks for the past waits until that of a stream is there. answered
// is called with the answer. mu is held.
func (h *hub) subscribe(conn engine.Conn, s *session, d demand, answered func()) {
	begin := func() {
		h.begin(conn, s, d)
		answered()
	}
	if d.since == nil && !d.snapshot {
		begin()
		return
	}
	w := &waiter{session: s, subscribes: true, name: d.name(), do: begin}
	if d.since != nil && h.shared && d.since.Epoch == h.epoch {
		w.seq = d.since.Seq
	}
	w.calledOff = func() {
		h.say(conn, s, badRequest(d.id, errCalledOff))
		answered()
	}
	h.await(w)
}

// begin makes the subscription, answers, and brings what was asked for. mu is held.
func (h *hub) begin(conn engine.Conn, s *session, d demand) {
	if s.gone {
		return
	}
	if err := s.admits(d); err != nil {
		h.say(conn, s, badRequest(d.id, err))
		return
	}
	answer := okMessage{Op: "ok", ID: d.id}
	sub := subscription{id: d.name(), wish: d.wish, from: h.seq, early: h.loading}
	subs := append(s.explicit(), sub)
	next := h.groups[groupKey(keysOf(subs, s))]
	var past past
	if d.since != nil {
		var resumed bool
		resumed, past, answer.Reason = h.resume(d, s, next)
		answer.Resumed, answer.Epoch, answer.Seq = &resumed, h.epoch, &h.seq
		if resumed {
			subs[len(subs)-1].from = d.since.Seq
		} else {
			d.snapshot = true // in place of what is missing
		}
	}
	if d.snapshot {
		h.pictureFor(d, s, next, &past)
	}
	frames := append([]engine.Frame{frameOf(answer)}, past.frames...)
	if s.group == nil && s.told != h.link { // it has not heard the notices while it waited
		frames = append([]engine.Frame{frameOf(brokerMessage{Op: "broker", State: h.link})}, frames...)
	}
	if s.implicit {
		s.before = s.subs[0]
		s.before.ended, s.before.upTo = true, h.seq
	}
	if !h.regroup(conn, s, subs, frames) {
		h.say(conn, s, badRequest(d.id, errTooManyGroups))
		return
	}
	s.group.forgo(past.replies)
	h.shelf.reached(d.wish, s, past.orders)
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
	if !h.regroup(conn, s, slices.Delete(slices.Clone(s.subs), at, at+1), []engine.Frame{frameOf(okMessage{Op: "ok", ID: id})}) {
		h.say(conn, s, badRequest(id, errTooManyGroups))
	}
}

// regroup brings a client with other subscriptions into the group of those who
// have the same. What its former group held back for later it gets now, unless the
// other one holds that, too. It is false when there is no room for another group. mu is held.
func (h *hub) regroup(conn engine.Conn, s *session, subs []subscription, first []engine.Frame) bool {
	if s.gone {
		return true
	}
	g := h.enter(subs, s)
	if g == nil {
		return false
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
	return true
}

// say sends a frame behind everything that the client has been sent so far. mu is
// held.
func (h *hub) say(conn engine.Conn, s *session, frames ...engine.Frame) {
	switch {
	case s.gone:
	case s.group == nil:
		conn.Follow(nil, frames...)
	default:
		conn.Follow(s.group.log, frames...)
	}
}
