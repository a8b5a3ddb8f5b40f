package simulation

import "slices"

// phase is a period without a change of subscriptions. The connection gets every reply, or what the subscriptions
// select, as far as the view selects it.
type phase struct {
	view       selector
	everything bool
	subs       []sub
}

func (p phase) selects(r *reply) bool {
	return p.view.selects(r) && (p.everything || slices.ContainsFunc(p.subs, func(s sub) bool { return s.selects(r) }))
}

// after returns the phase that begins with the answer to a subscribe or an unsubscribe.
func (p phase) after(id string, subs []sub) phase {
	named := func(s sub) bool { return s.id == id }
	if i := slices.IndexFunc(p.subs, named); i >= 0 {
		return phase{view: p.view, subs: slices.Delete(slices.Clone(p.subs), i, i+1)}
	}
	if i := slices.IndexFunc(subs, named); i >= 0 {
		return phase{view: p.view, subs: append(slices.Clone(p.subs), subs[i])}
	}
	return p
}

// checkPhases checks a connection whose subscriptions change. At which number a phase begins, between the replies
// that came, is not known.
func (c *client) checkPhases(v *record, n int, from, to uint64, dropped bool) {
	now := phase{everything: true, view: v.view}
	since, last := []phase{now}, from // phases since the last reply
	for _, m := range v.came {
		if m.Op == "ok" && m.ID != nil {
			now = now.after(*m.ID, v.subs)
			since = append(since, now)
		}
		if !m.isReply() {
			continue
		}
		r := c.w.reply(m.Seq)
		if r == nil || !now.selects(r) || m.Seq <= last {
			c.fail(n, "%d came behind %d, or is not selected", m.Seq, last)
			return
		}
		if !dropped && !c.w.nothing(since, last, m.Seq-1) {
			c.fail(n, "one between %d and %d did not come", last, m.Seq)
		}
		since, last = []phase{now}, m.Seq
	}
	if !dropped && !c.w.nothing(since, last, to) {
		c.fail(n, "one between %d and %d did not come", last, to)
	}
}

// nothing reports whether there are boundaries of the phases such that none selects a reply after one number, up to
// another.
func (w *world) nothing(phases []phase, behind, upTo uint64) bool {
	first := 0 // the earliest possible phase
	for seq := behind + 1; seq <= upTo; seq++ {
		for first < len(phases) && phases[first].selects(w.reply(seq)) {
			first++
		}
	}
	return first < len(phases)
}
