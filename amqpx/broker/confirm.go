package broker

// confirms counts a channel's publishes in confirm mode. Reader state.
type confirms struct {
	on     bool
	seen   uint64 // publishes so far; the last one's tag
	sent   uint64 // the last tag confirmed
	listed bool   // in conn.unsent
}

// confirmSelect flags: no-wait.
func (ch *channel) confirmSelect(a *args) error {
	flags := a.flags()
	if err := a.end(); err != nil {
		return err
	}
	ch.confirms.on = true
	if flags&1 == 0 {
		ch.c.sendPlain(ch.id, confirmSelectOk)
	}
	return nil
}

// confirm records that a publish was accepted, or sends a nack at once if it was not.
func (ch *channel) confirm(accepted bool) {
	cf := &ch.confirms
	if !cf.on {
		return
	}
	cf.seen++
	if !accepted {
		cf.seen--
		ch.sendConfirm()
		cf.seen++
		ch.sendOutcome(basicNack, false)
		return
	}
	if !cf.listed {
		cf.listed = true
		ch.c.unsent = append(ch.c.unsent, ch)
	}
}

// sendConfirms sends the confirms that are due on all channels.
func (c *conn) sendConfirms() {
	for _, ch := range c.unsent {
		ch.confirms.listed = false
		ch.sendConfirm()
	}
	clear(c.unsent)
	c.unsent = c.unsent[:0]
}

func (ch *channel) sendConfirm() {
	if n := ch.confirms.seen - ch.confirms.sent; n > 0 {
		ch.sendOutcome(basicAck, n > 1)
	}
}

// sendOutcome sends an ack or a nack for the publishes up to the last one seen.
func (ch *channel) sendOutcome(id methodID, multiple bool) {
	cf := &ch.confirms
	cf.sent = cf.seen
	buf, mark := ch.begin(id)
	flags := byte(0)
	if multiple {
		flags = 1
	}
	ch.end(append(appendU64(buf, cf.seen), flags), mark)
}
