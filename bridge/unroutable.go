package bridge

import (
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
)

// unroutables are the failed replies that the bridge publishes for commands to
// nobody, and that the commands' senders hear of like everyone: when the broker
// brings the reply back. That they hear of each once, whatever becomes of it, is
// what this is for.
type unroutables struct {
	// mu guards the following field.
	mu   sync.Mutex
	open map[string]*unroutable // by the reply's message id
}

type unroutable struct {
	tell  func() // the sender alone
	done  func() // called once the sender knows
	told  bool   // done; the reply may still come, and is not for anyone any more
	timer *time.Timer
}

// toldWithin is how long after a command came its sender hears that it was for
// nobody: as soon as of any other failure, although two messages were on the way
// to the broker.
const toldWithin = 900 * time.Millisecond

// expect waits for the reply with the message id to a command that came then. tell
// is called once if the sender must be told in its place; it must not block.
func (u *unroutables) expect(id string, came time.Time, r unroutable) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.open == nil {
		u.open = map[string]*unroutable{}
	}
	late := func() { u.published(id, amqpx.Unknown) }
	r.timer = time.AfterFunc(time.Until(came.Add(toldWithin)), late)
	u.open[id] = &r
}

// published takes the outcome of the reply's publishing. A confirmed one is on its
// way back. One of which nobody knows may be, too: it must not tell twice.
func (u *unroutables) published(id string, outcome amqpx.Outcome) {
	if outcome == amqpx.Confirmed {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	r := u.open[id]
	if r == nil {
		return // it came back before its confirm
	}
	if !outcome.InDoubt() {
		delete(u.open, id)
	}
	r.end()
}

// arrived takes a reply that the broker brings, and says whether it is to be
// handed on, and what is to be called afterwards.
func (u *unroutables) arrived(id string) (wanted bool, done func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	r := u.open[id]
	if r == nil {
		return true, func() {}
	}
	delete(u.open, id)
	r.timer.Stop()
	if r.told {
		return false, func() {}
	}
	return true, r.done
}

// lose tells the senders whose replies were under way when the link broke. Most
// queues are gone with it; from one that is not the reply may still come, and
// must not tell twice.
func (u *unroutables) lose() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, r := range u.open {
		if r.told {
			delete(u.open, id) // it has not come over a whole life of the link
			continue
		}
		r.end()
	}
}

// end tells the sender, unless that is done.
func (r *unroutable) end() {
	r.timer.Stop()
	if !r.told {
		r.told = true
		r.tell()
		r.done()
	}
}
