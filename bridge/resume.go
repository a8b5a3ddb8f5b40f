package bridge

import (
	"slices"
	"strconv"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// resume gives what a client has missed behind the last reply that it had, and
// that it has not by another subscription; next is the group that it comes into, if
// there is that already. Else it says why not. mu is held.
func (h *hub) resume(d demand, s *session, next *group) (ok bool, missed past, reason string) {
	h.past.expire(time.Now())
	last := *d.since
	if last.Epoch != h.epoch {
		return false, past{}, "the numbers have begun anew: this is epoch " + h.epoch
	}
	if last.Seq > h.seq {
		return false, past{}, "no reply has this number yet; the last is " + strconv.FormatUint(h.seq, 10)
	}
	if missed, ok = h.missing(d.wish, s, next, last.Seq); !ok {
		return false, past{}, "the replies behind this number are not kept any more; those behind " + strconv.FormatUint(h.past.floor, 10) + " are"
	}
	return true, missed, ""
}

// past is what a client gets of it.
type past struct {
	frames  []engine.Frame
	replies []*reply // among them
	orders  orders   // which an ordered subscription has reached with that
}

// missing is what came behind a number that the wish wants and the session has
// not had and does not get otherwise. It is false when some may have been forgotten.
// mu is held.
func (h *hub) missing(w wish, s *session, next *group, from uint64) (missed past, ok bool) {
	entries, ok := h.past.between(from, h.seq)
	if !ok {
		return past{}, false
	}
	key := w.selectionKey(s)
	for e := range entries {
		if e.notice() {
			if s.group == nil || e.gap <= s.gaps {
				missed.frames = append(missed.frames, e.frame)
			}
			continue
		}
		r := e.reply
		if !h.wants(w, s, r) || w.ordered && missed.orders.stale(r) {
			continue
		}
		if w.ordered {
			missed.orders.note(r)
		}
		if !h.had(s, r) && !s.comes(r, next, key) {
			missed.frames, missed.replies = append(missed.frames, e.frame), append(missed.replies, r)
		}
	}
	return missed, true
}

// comes tells whether a reply of the past comes to a client that resumes a
// subscription with this key: because its group holds it and the next one does not, or
// because that subscription itself holds it back. What another one holds back may give
// way to a newer reply.
func (s *session) comes(r *reply, next *group, key string) bool {
	if next == nil {
		return s.group.holdsBy(key, r)
	}
	return s.group.holds(r) && !next.holds(r) || next.holdsBy(key, r)
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
// nothing back, or before its first one. Of one that read too slowly nobody knows.
func (h *hub) had(s *session, r *reply) bool {
	if s.skipped.Load() {
		return false
	}
	by := func(sub subscription) bool {
		from := sub.from
		if sub.early {
			from = h.read
		}
		return r.seq > from && (!sub.ended || r.seq <= sub.upTo) && sub.wish.throttle == 0 && !sub.wish.ordered && h.wants(sub.wish, s, r)
	}
	return by(s.before) || slices.ContainsFunc(s.subs, by)
}
