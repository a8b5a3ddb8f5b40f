package simulation

import (
	"slices"
	"time"
)

// checkThrottled checks a throttled subscription: the latest reply of each sender comes in time, and no more often
// than requested.
func (c *client) checkThrottled(v *record, n int, from, to uint64, dropped bool) {
	begun, came := c.answeredAt(v), map[uint64]time.Time{}
	last := map[string]time.Time{}
	for _, m := range v.came {
		if !m.isReply() {
			continue
		}
		r := c.w.reply(m.Seq)
		if r == nil || !v.selects(r) {
			c.fail(n, "%d is not selected", m.Seq)
			return
		}
		if _, twice := came[m.Seq]; twice {
			c.fail(n, "%d came twice", m.Seq)
		}
		came[m.Seq] = m.at
		if r.numbered.Before(begun) {
			continue
		}
		at, known := last[r.sender]
		if early := m.at.Sub(at); known && early < c.profile.throttle-c.profile.batch && !c.urged(v, r.sender, at, m.at) {
			c.fail(n, "%d came %v behind the one before", m.Seq, early)
		}
		last[r.sender] = m.at
	}
	if dropped {
		return
	}
	within := c.profile.throttle + c.profile.batch
	end := v.came[len(v.came)-1].at
	for seq := from + 1; seq <= uint64(len(c.w.numbered)); seq++ {
		r := c.w.reply(seq)
		if !v.selects(r) || r.numbered.Before(begun) || r.numbered.Add(within).After(end) {
			continue
		}
		if _, here := came[seq]; r.urgent() && !here && seq <= to {
			c.fail(n, "%d is urgent, and did not come", seq)
		}
		if !c.superseded(came, r, r.numbered.Add(within)) {
			c.fail(n, "neither %d nor a later one of %s came within %v", seq, r.sender, within)
		}
	}
}

// urged reports whether there was an urgent reply of a sender in, or shortly before, a period. The pending reply is
// delivered directly before it.
func (c *client) urged(v *record, sender string, from, to time.Time) bool {
	from = from.Add(-c.profile.throttle - c.profile.batch)
	return slices.ContainsFunc(c.w.numbered, func(r *reply) bool {
		return r.urgent() && r.sender == sender && v.selects(r) && !r.numbered.Before(from) && !r.numbered.After(to)
	})
}

// superseded reports whether a reply, or a later one of its sender, came by a time.
func (c *client) superseded(came map[uint64]time.Time, r *reply, by time.Time) bool {
	for seq, at := range came {
		if o := c.w.reply(seq); o.sender == r.sender && seq >= r.seq && !at.After(by) {
			return true
		}
	}
	return false
}

// answeredAt returns when the subscription was answered.
func (c *client) answeredAt(v *record) time.Time {
	for _, m := range v.came {
		if m.answers("ok", "url") {
			return m.at
		}
	}
	return v.came[0].at
}
