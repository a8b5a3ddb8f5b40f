package simulation

import "time"

// checkLinkEvents compares what the link delivered with what the broker routed.
func (w *world) checkLinkEvents() {
	last := 0
	for _, a := range w.linkEvents {
		switch {
		case a.gap != nil:
			if a.gap.To.After(a.at) || a.gap.From.After(a.gap.To) {
				w.fail("a gap from %v to %v was reported at %v", a.gap.From, a.gap.To, a.at)
			}
		case a.reply == nil || a.reply.routed == 0:
			w.fail("a reply was delivered that the broker did not route: %+v", a.reply)
		case a.reply.routed == last:
			w.fail("%s was delivered twice", a.reply.id)
		case a.reply.routed < last:
			w.fail("%s was delivered out of order", a.reply.id)
		default:
			last = a.reply.routed
		}
	}
	up, found := w.firstUp()
	if !found {
		return
	}
	// at is the index after the last linkEvent that the broker routed before the reply.
	at := 0
	for _, r := range w.replies {
		for at < len(w.linkEvents) && (w.linkEvents[at].gap != nil || w.linkEvents[at].reply.routed < r.routed) {
			at++
		}
		if r.seq == 0 && r.sent.After(up) && !w.covered(r, at) {
			w.fail("%s, sent at %v, is missing, and no gap covers it", r.id, r.sent.Sub(w.began))
		}
	}
}

// covered reports whether one of the gaps directly before a linkEvent contains the time at which
// the reply was sent.
func (w *world) covered(r *reply, at int) bool {
	for at--; at >= 0 && w.linkEvents[at].gap != nil; at-- {
		if g := w.linkEvents[at].gap; !r.sent.Before(g.From) && !r.sent.After(g.To) {
			return true
		}
	}
	return false
}

// firstUp returns when the link was first up. No gap is reported for replies sent before that.
func (w *world) firstUp() (time.Time, bool) {
	for _, s := range w.states {
		if s.Up {
			return s.at, true
		}
	}
	return time.Time{}, false
}
