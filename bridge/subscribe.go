package bridge

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// maxSubscriptions is how many one client may hold.
const maxSubscriptions = 64

// subscription is a client's: what it wishes, and from where on it has had that.
type subscription struct {
	id   string
	wish wish
	from uint64 // all replies behind this number
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

// maxGlobs is how many patterns the filters of one client may have together:
// each is tried on every reply, with all that are connected waiting.
const maxGlobs = 256

var (
	errTooManyGlobs = fmt.Errorf("your filters have more than %d patterns together; name what you want, or ask for more and select in your page", maxGlobs)

	errTooManySubscriptions = fmt.Errorf("you hold %d subscriptions, and no client may have more; unsubscribe from some", maxSubscriptions)
	errTooManyGroups        = errors.New("the clients of this bridge have too many different subscriptions; ask for what others ask for")
)

// subscribe adds a subscription, once the reply that the client had last has been
// here too. answered is called with the answer. mu is held.
func (h *hub) subscribe(conn engine.Conn, s *session, d demand, answered func()) {
	wait := uint64(0)
	if d.since != nil && h.shared && d.since.Epoch == h.epoch {
		wait = d.since.Seq
	}
	begin := func() {
		h.begin(conn, s, d)
		answered()
	}
	if d.since == nil {
		begin()
		return
	}
	h.await(wait, begin)
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
	var frames []engine.Frame
	from := h.seq
	if d.since != nil {
		resumed, missing, reason := h.resume(d, s)
		answer.Resumed, answer.Reason, answer.Epoch, answer.Seq = &resumed, reason, h.epoch, &h.seq
		if frames = missing; resumed {
			from = d.since.Seq
		} else {
			d.snapshot = true // in place of what is missing
		}
	}
	subs := append(s.explicit(), subscription{d.name(), d.wish, from})
	if d.snapshot {
		frames = append(frames, h.pictureFor(d, s)...)
	}
	frames = append([]engine.Frame{frameOf(answer)}, frames...)
	if s.group == nil && s.told != h.link { // it has not heard the notices while it waited
		frames = append([]engine.Frame{frameOf(brokerMessage{Op: "broker", State: h.link})}, frames...)
	}
	if !h.regroup(conn, s, subs, frames) {
		h.say(conn, s, badRequest(d.id, errTooManyGroups))
	}
}

// admits tells whether the session may have another subscription.
func (s *session) admits(d demand) error {
	id, subs := d.name(), s.explicit()
	globs := d.wish.globs()
	for _, sub := range subs {
		globs += sub.wish.globs()
	}
	if globs > maxGlobs {
		return errTooManyGlobs
	}
	if len(subs) >= maxSubscriptions {
		return errTooManySubscriptions
	}
	if slices.ContainsFunc(subs, func(sub subscription) bool { return sub.id == id }) {
		return fmt.Errorf("you have a subscription %q; choose another id, or unsubscribe from that one first", id)
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

// unsubscribe removes a subscription. mu is held.
func (h *hub) unsubscribe(conn engine.Conn, s *session, id *string, name string) {
	at := slices.IndexFunc(s.subs, func(sub subscription) bool { return !s.implicit && sub.id == name })
	if at < 0 {
		h.say(conn, s, badRequest(id, fmt.Errorf("you have no subscription %q", name)))
		return
	}
	if !h.regroup(conn, s, slices.Delete(slices.Clone(s.subs), at, at+1), []engine.Frame{frameOf(okMessage{Op: "ok", ID: id})}) {
		h.say(conn, s, badRequest(id, errTooManyGroups))
	}
}

// regroup brings a client with other subscriptions into the group of those who
// have the same. What its former group held back for later it gets now. It is
// false when there is no room for another group. mu is held.
func (h *hub) regroup(conn engine.Conn, s *session, subs []subscription, first []engine.Frame) bool {
	if s.gone {
		return true
	}
	wishes := make([]wish, len(subs))
	for i, sub := range subs {
		wishes[i] = sub.wish
	}
	g := h.enter(wishes, s)
	if g == nil {
		return false
	}
	if s.group != nil && s.group != g {
		first = append(s.group.held(), first...)
	}
	conn.Follow(g.log, first...)
	if s.group != nil {
		h.leave(s.group)
	} else {
		h.v1s++
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

// resume gives what a client has missed behind the last reply that it had, and
// that it has not by another subscription. Else it says why not. mu is held.
func (h *hub) resume(d demand, s *session) (ok bool, missing []engine.Frame, reason string) {
	h.past.expire(time.Now())
	last := *d.since
	if last.Epoch != h.epoch {
		return false, nil, "the numbers have begun anew: this is epoch " + h.epoch
	}
	if last.Seq > h.seq {
		return false, nil, "no reply has this number yet; the last is " + strconv.FormatUint(h.seq, 10)
	}
	if missing, ok = h.missing(d.wish, s, last.Seq); !ok {
		return false, nil, "the replies behind this number are not kept any more; those behind " + strconv.FormatUint(h.past.floor, 10) + " are"
	}
	return true, missing, ""
}

// missing are the frames behind a number that the wish wants and the session has
// not had. It is false when some may have been forgotten. mu is held.
func (h *hub) missing(w wish, s *session, from uint64) (frames []engine.Frame, ok bool) {
	entries, ok := h.past.between(from, h.seq)
	if !ok {
		return nil, false
	}
	for e := range entries {
		switch {
		case e.notice():
			if s.group == nil || e.gap <= s.gaps {
				frames = append(frames, e.frame)
			}
		case h.wants(w, s, e.reply) && !h.had(s, e.reply) && !s.group.holds(e.reply):
			frames = append(frames, e.frame)
		}
	}
	return frames, true
}

// wants tells whether a session's wish is for a reply of the past.
func (h *hub) wants(w wish, s *session, r *reply) bool {
	if w.filter == nil {
		return false
	}
	if w.filter.NeedsKeywords() {
		r.readKeywords()
	}
	return w.filter.MatchMine(&r.Reply, r.owner != "" && r.owner == s.id)
}

// had tells whether the client was sent a reply by a subscription that holds
// nothing back. Of one that read too slowly nobody knows.
func (h *hub) had(s *session, r *reply) bool {
	return !s.skipped.Load() && slices.ContainsFunc(s.subs, func(sub subscription) bool {
		return r.seq > sub.from && sub.wish.throttle == 0 && !sub.wish.ordered && h.wants(sub.wish, s, r)
	})
}
