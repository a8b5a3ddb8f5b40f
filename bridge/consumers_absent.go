package bridge

import (
	"time"

	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// absent reports whether nobody takes an actor's commands, and the actor, which was last heard at a
// time, has said nothing since that was found.
func (c *consumers) absent(actor string, heard time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.known[actor]
	return one != nil && one.is == snapshot.Absent && !heard.After(one.asked)
}

// isAbsent reports whether nobody takes an actor's commands, as far as that is known.
func (b *Bridge) isAbsent(actor string) bool {
	if present, known := b.consumerOf(actor); present || !known {
		return false
	}
	for _, a := range b.hub.Liveness() {
		if a.Name == actor {
			return b.consumers.absent(actor, a.Last)
		}
	}
	return false
}
