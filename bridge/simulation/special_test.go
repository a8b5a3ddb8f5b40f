package simulation

import (
	"slices"
	"time"
)

// checkOrdered looks whether what is older than what was delivered, and nothing else, is left out.
func (c *client) checkOrdered(v *visit, n int, from, to uint64, dropped bool) {
	last, highest, came := from, map[string]int64{}, map[uint64]bool{}
	for _, m := range v.came {
		if !m.isReply() {
			continue
		}
		r := c.w.reply(m.Seq)
		if r == nil || !v.selects(r) || m.Seq <= last {
			c.fail(n, "%d came behind %d, or is not selected", m.Seq, last)
			return
		}
		if h, known := highest[r.sender]; known && r.order < h {
			c.fail(n, "%d of the order %d came behind one of the order %d", m.Seq, r.order, h)
		}
		last, highest[r.sender], came[m.Seq] = m.Seq, r.order, true
	}
	if dropped {
		return
	}
	clear(highest)
	for seq := uint64(1); seq <= to; seq++ {
		r := c.w.reply(seq)
		if !v.selects(r) {
			continue
		}
		if h, known := highest[r.sender]; seq > from && !came[seq] && (!known || r.order >= h) {
			c.fail(n, "%d of the order %d did not come", seq, r.order)
		}
		if h, known := highest[r.sender]; !known || r.order > h {
			highest[r.sender] = r.order
		}
	}
}

// checkThrottled looks whether the latest reply of each sender comes in time, and no more often
// than is asked for.
func (c *client) checkThrottled(v *visit, n int, from, to uint64) {
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
		if early := m.at.Sub(at); known && early < c.habit.throttle-c.habit.batch && !c.urged(v, r.sender, at, m.at) {
			c.fail(n, "%d came %v behind the one before", m.Seq, early)
		}
		last[r.sender] = m.at
	}
	within := c.habit.throttle + c.habit.batch
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

// urged reports whether an urgent reply of a sender came within a window of a time. What was held
// comes right before it.
func (c *client) urged(v *visit, sender string, from, to time.Time) bool {
	from = from.Add(-c.habit.throttle - c.habit.batch)
	return slices.ContainsFunc(c.w.numbered, func(r *reply) bool {
		return r.urgent() && r.sender == sender && v.selects(r) && !r.numbered.Before(from) && !r.numbered.After(to)
	})
}

// superseded reports whether a reply, or a later one of its sender, came by then.
func (c *client) superseded(came map[uint64]time.Time, r *reply, by time.Time) bool {
	for seq, at := range came {
		if o := c.w.reply(seq); o.sender == r.sender && seq >= r.seq && !at.After(by) {
			return true
		}
	}
	return false
}

// answeredAt is when its subscription was answered.
func (c *client) answeredAt(v *visit) time.Time {
	for _, m := range v.came {
		if m.answers("ok", "url") {
			return m.at
		}
	}
	return v.came[0].at
}
