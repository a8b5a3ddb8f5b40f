package bridge

import (
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
)

// pendingReturns holds the failed replies that the bridge has published for commands without a
// consumer, until they come back from the broker. The sender of such a command learns of the
// failure from that reply, as every client does. If the reply is lost or late, only the sender
// is told; it is never told twice.
type pendingReturns struct {
	// mu guards the following field.
	mu   sync.Mutex
	byID map[string]*pendingReturn // by the reply's message id
}

type pendingReturn struct {
	report   func() // tells only the sender
	done     func() // called once the sender has been told
	reported bool   // the sender was told; a reply that still comes is dropped
	timer    *time.Timer
}

// expect registers the reply with this message id, which counts as lost or late from a time on.
// r.report is called at most once, if the sender must be told without the reply; it must not
// block.
func (u *pendingReturns) expect(id string, until time.Time, r pendingReturn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.byID == nil {
		u.byID = map[string]*pendingReturn{}
	}
	late := func() { u.published(id, amqpx.Unknown) }
	r.timer = time.AfterFunc(time.Until(until), late)
	u.byID[id] = &r
}

// published takes the outcome of the reply's publishing. A confirmed reply is on its way back,
// and one with an unknown outcome may be, so its sender must not be told twice.
func (u *pendingReturns) published(id string, outcome amqpx.Outcome) {
	if outcome == amqpx.Confirmed {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	r := u.byID[id]
	if r == nil {
		return // it came back before its confirm
	}
	if !outcome.InDoubt() {
		delete(u.byID, id)
	}
	r.fail()
}

// arrived takes a reply from the broker. wanted reports whether it is to be delivered; done must
// be called afterwards.
func (u *pendingReturns) arrived(id string) (wanted bool, done func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	r := u.byID[id]
	if r == nil {
		return true, func() {}
	}
	delete(u.byID, id)
	r.timer.Stop()
	if r.reported {
		return false, func() {}
	}
	return true, r.done
}

// linkLost tells the senders whose replies were on their way when the link broke. Such a
// reply may still come from a queue that outlives the link; it must not tell its sender
// again.
func (u *pendingReturns) linkLost() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, r := range u.byID {
		if r.reported {
			delete(u.byID, id) // it has not come during a whole session of the link
			continue
		}
		r.fail()
	}
}

// fail tells the sender unless it was told already.
func (r *pendingReturn) fail() {
	r.timer.Stop()
	if !r.reported {
		r.reported = true
		r.report()
		r.done()
	}
}
