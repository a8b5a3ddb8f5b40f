package bridge

import (
	"errors"

	"github.com/clu-ws/clu-ws/amqpx"
)

// Without a configured name, a bridge has a new random name at every start.

// warnOfName warns of a queue that outlives the bridge but is not found again, because its
// name is random.
func (b *Bridge) warnOfName() {
	if b.randomName && b.cfg.Durable.Expires > 0 {
		b.log.Warn("the bridge has a random name, and keeps its queue under it: after a restart it does not find the replies that were kept; give it a --name", "name", b.cfg.Name)
	}
}

// warnOfDenied warns, once, that a random name can be granted no permissions.
func (b *Bridge) warnOfDenied(err error) {
	m, ok := errors.AsType[*amqpx.Error](err)
	if b.randomName && ok && m.Kind == amqpx.AccessDenied {
		b.warnedName.Do(func() {
			b.log.Warn("the bridge has a random name, another at every start; give it a --name that the user's permissions allow", "name", b.cfg.Name)
		})
	}
}
