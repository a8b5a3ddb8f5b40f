package simulation

// checkOrdered checks an ordered subscription: replies older than one delivered are left out, and no others.
func (c *client) checkOrdered(v *record, n int, from, to uint64, dropped bool) {
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
