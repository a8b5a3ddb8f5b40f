package simulation

import (
	"slices"
	"time"
)

// check compares what a client was sent with the model.
func (c *client) check() {
	for i, v := range c.records {
		v.mu.Lock()
		c.checkRecord(v, i)
		v.mu.Unlock()
	}
}

func (c *client) fail(connection int, format string, args ...any) {
	c.w.fail("client %d, connection %d: "+format, append([]any{c.number, connection + 1}, args...)...)
}

func (c *client) checkRecord(v *record, n int) {
	if len(v.came) == 0 {
		return
	}
	if v.came[0].Op != "hello" {
		c.fail(n, "the first message is %+v", v.came[0])
		return
	}
	c.checkSnapshots(v, n)
	c.checkHeard(v, n)
	from, begun := c.begins(v, n)
	if !begun {
		return
	}
	dropped := slices.ContainsFunc(v.came, func(m message) bool { return m.Op == "dropped" })
	to := c.heardTo(v, from)
	switch {
	case v.kind == changingSubscriptions:
		c.checkPhases(v, n, from, to, dropped)
	case v.kind == twoSubscriptions:
		if !dropped {
			c.checkSet(v, n, from, to)
		}
	case c.profile.throttle > 0:
		c.checkThrottled(v, n, from, to, dropped)
	case c.profile.ordered:
		c.checkOrdered(v, n, from, to, dropped)
	default:
		c.checkEach(v, n, from, to, dropped)
	}
	if !dropped {
		c.checkStates(v, n)
		c.checkGaps(v, n, from, to)
	}
}

// begins returns the number after which the connection gets every reply that it selects. It is false if the
// connection ended before.
func (c *client) begins(v *record, n int) (from uint64, ok bool) {
	if v.kind == twoSubscriptions {
		return c.bothBegin(v, n)
	}
	if len(v.subs) == 0 || v.subs[0].id != "url" {
		return v.came[0].Seq, true
	}
	for _, m := range v.came {
		switch {
		case m.answers("ok", "url") && m.Resumed != nil && *m.Resumed:
			return *v.since, true
		case m.answers("ok", "url") && m.Resumed != nil:
			c.checkForgotten(v, n, m)
		case m.answers("ok", "url") && !c.profile.snapshot:
			return v.came[0].Seq, true
		case m.answers("snapshot", "url"):
			return m.Seq, true
		case m.isReply():
			c.fail(n, "the reply %d came before the answer", m.Seq)
		}
	}
	return 0, false
}

// bothBegin is begins for a connection with two subscriptions.
func (c *client) bothBegin(v *record, n int) (from uint64, ok bool) {
	answered := 0
	for _, m := range v.came {
		if m.Op == "ok" && m.ID != nil && slices.ContainsFunc(v.subs, func(s sub) bool { return s.id == *m.ID }) {
			if m.Resumed == nil {
				return 0, false // it began anew
			}
			if !*m.Resumed {
				c.checkForgotten(v, n, m)
				return 0, false
			}
			answered++
		}
	}
	if answered < 2 || v.since == nil {
		return 0, false
	}
	return *v.since, true
}

// checkForgotten checks that the bridge may refuse to resume.
func (c *client) checkForgotten(v *record, n int, m message) {
	kept := uint64(c.w.history) // of replies and gaps
	for _, a := range c.w.linkEvents {
		if a.gap != nil && a.seq >= *v.since {
			kept--
		}
	}
	if m.Seq-*v.since < kept && kept < 1<<32 {
		c.fail(n, "it did not resume from %d at %d: %s", *v.since, m.Seq, m.Reason)
	}
}

// heardTo returns the number up to which the client must have received everything. Two
// subscriptions deliver what they missed one after the other, and a connection may end in between.
func (c *client) heardTo(v *record, from uint64) uint64 {
	to, answered := from, 0
	for _, m := range v.came {
		if m.Op == "ok" && m.Resumed != nil {
			answered++
		}
		if v.kind == twoSubscriptions && (answered < 2 || m.isReply()) {
			continue
		}
		if m.isReply() || m.Op == "pong" {
			to = max(to, m.Seq)
		}
	}
	return to
}

func (v *record) selects(r *reply) bool {
	if v.implicit || !v.view.selects(r) {
		return v.view.selects(r)
	}
	return slices.ContainsFunc(v.subs, func(s sub) bool { return s.selects(r) })
}

// reply returns a reply by its number, or nil.
func (w *world) reply(seq uint64) *reply {
	if seq < 1 || seq > uint64(len(w.numbered)) {
		return nil
	}
	return w.numbered[seq-1]
}

// checkEach checks that every selected reply came once and in order.
func (c *client) checkEach(v *record, n int, from, to uint64, dropped bool) {
	last := from
	for _, m := range v.came {
		if !m.isReply() {
			continue
		}
		switch r := c.w.reply(m.Seq); {
		case r == nil:
			c.fail(n, "there is no reply %d", m.Seq)
			return
		case !v.selects(r):
			c.fail(n, "it does not select %d", m.Seq)
		case m.Seq <= last:
			c.fail(n, "%d came behind %d", m.Seq, last)
		case !dropped:
			c.checkNone(v, n, last, m.Seq-1)
		}
		last = m.Seq
	}
	if !dropped {
		c.checkNone(v, n, last, to)
	}
}

// checkNone checks that no reply after one number, up to another, is selected.
func (c *client) checkNone(v *record, n int, behind, upTo uint64) {
	for seq := behind + 1; seq <= upTo; seq++ {
		if v.selects(c.w.reply(seq)) {
			c.fail(n, "%d did not come", seq)
		}
	}
}

// checkSet checks that every selected reply came once, in any order.
func (c *client) checkSet(v *record, n int, from, to uint64) {
	came := map[uint64]bool{}
	for _, m := range v.came {
		if m.isReply() {
			if came[m.Seq] {
				c.fail(n, "%d came twice", m.Seq)
			}
			came[m.Seq] = true
		}
	}
	for seq := from + 1; seq <= to; seq++ {
		if v.selects(c.w.reply(seq)) != came[seq] {
			c.fail(n, "%d came %v", seq, came[seq])
		}
	}
}

// checkHeard checks that each reply says when the hub numbered it, however late it comes.
func (c *client) checkHeard(v *record, n int) {
	for _, m := range v.came {
		if !m.isReply() {
			continue
		}
		if r := c.w.numbered[m.Seq-1]; r != nil && !time.UnixMicro(m.Heard).Equal(r.numbered.Truncate(time.Microsecond)) {
			c.fail(n, "the reply %d was heard at %v, and says %v", m.Seq, r.numbered, time.UnixMicro(m.Heard))
		}
	}
}
