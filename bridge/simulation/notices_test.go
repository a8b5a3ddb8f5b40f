package simulation

import "github.com/clu-ws/clu-ws/bridge/protocol"

// checkGaps checks that every gap was sent once, at its place.
func (c *client) checkGaps(v *record, n int, from, to uint64) {
	for _, a := range c.w.linkEvents {
		if a.gap == nil || a.seq <= from || a.seq >= to {
			continue
		}
		sent, text := 0, a.gap.To.UTC().Format(protocol.TimeFormat)
		for i, m := range v.came {
			if m.Op != "gap" || m.To != text {
				continue
			}
			sent++
			if v.kind == oneSubscription && c.profile.throttle == 0 && !inPlace(v.came, i, a.seq) {
				c.fail(n, "the gap behind %d came at another place", a.seq)
			}
		}
		// Each subscription that resumes gets the gaps among its missed replies.
		if sent == 0 || sent > 1 && v.kind != twoSubscriptions {
			c.fail(n, "the gap behind %d was sent %d times", a.seq, sent)
		}
	}
}

// inPlace reports whether the replies before a message have numbers up to seq, and those after it higher ones.
func inPlace(came []message, at int, seq uint64) bool {
	for i, m := range came {
		if m.isReply() && (m.Seq <= seq) != (i < at) {
			return false
		}
	}
	return true
}

// checkStates checks that the client knows the state of the broker.
func (c *client) checkStates(v *record, n int) {
	state := v.came[0].Broker
	for _, m := range v.came {
		if m.Op == "broker" {
			if m.State == state {
				c.fail(n, "the broker is %s again", state)
			}
			state = m.State
		}
	}
	if last := n == len(c.records)-1; last && !v.ended && state != "up" {
		c.fail(n, "in the end the broker is %s", state)
	}
}
