package wsclient

import "time"

// doubtAfter is how long a command may be silent once the bridge has missed replies: its last one may be among them.
const doubtAfter = 5 * time.Second

// missed takes note that the bridge may have missed replies up to a time by its clock. A command that was sent before and is
// not heard of any more would run for ever.
func (o *ownReplies) missed(to time.Time) {
	for _, c := range o.active {
		if sent := o.client.clock.now().Add(-time.Since(c.SentAt)); !c.written || sent.After(to) {
			continue
		}
		replied := c.countReplies()
		time.AfterFunc(doubtAfter, func() { o.doubt(c, replied) })
	}
}

// doubt ends the wait for a command that has had no reply since there were so many.
func (o *ownReplies) doubt(c *Command, replied int) {
	o.client.mu.Lock()
	defer o.client.mu.Unlock()
	if c.State().Active() && c.countReplies() == replied {
		o.set(c, Unknown, &CommandError{Message: "unknown: the bridge may have missed its last reply; the actor may still be executing it"})
	}
}

func (c *Command) countReplies() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.replied
}
