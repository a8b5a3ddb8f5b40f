package actor

import (
	"log/slog"
	"sync"

	"github.com/clu-ws/clu-ws/amqpx"
)

// maxUnconfirmed is how many replies of one actor may have no outcome yet. It is
// below what a link buffers by default, so a command that writes faster than the
// broker reads is slowed down and its replies are not refused.
const maxUnconfirmed = 512

// publisher publishes an actor's replies. A reply that cannot be published is
// counted and not kept: sent later, it would be taken for a recent one.
type publisher struct {
	link  *amqpx.Link
	log   *slog.Logger
	slots chan struct{} // one for each reply without an outcome

	// mu guards the following fields.
	mu        sync.Mutex
	lost      uint64 // in all
	lostSince uint64 // of them since the last that was published
	reason    string // why the link refused the last one
}

// newPublisher returns a publisher for a link that buffers at most pending
// publishes; 0 is the link's default.
func newPublisher(log *slog.Logger, pending int) *publisher {
	slots := maxUnconfirmed
	if pending > 0 {
		slots = min(slots, pending)
	}
	return &publisher{log: log, slots: make(chan struct{}, slots)}
}

// send publishes a reply. While too many have no outcome yet it waits, at most as
// long as the link takes to give one of them up.
func (o *publisher) send(r Reply) {
	o.slots <- struct{}{}
	err := o.link.Publish(r.Message(), func(outcome amqpx.Outcome) {
		<-o.slots
		o.recordOutcome(outcome)
	})
	if err != nil {
		<-o.slots
		o.recordError(r, err)
	}
}

// recordError counts a reply that the link refuses. Replies that are refused for
// the same reason share one log line: a user without write permission loses all
// of them.
func (o *publisher) recordError(r Reply, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost++
	o.lostSince++
	if reason := err.Error(); reason != o.reason {
		o.reason = reason
		o.log.Error("a reply cannot be sent", "error", err, "command_id", r.CommandID, "commander_id", r.CommanderID)
	}
}

// recordOutcome counts lost replies, with one log line for the first and one when
// replies are published again. A returned reply is not lost: it had no listener.
func (o *publisher) recordOutcome(outcome amqpx.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if outcome == amqpx.Confirmed || outcome == amqpx.Returned {
		if o.lostSince > 0 {
			o.log.Info("replies are published again", "lost", o.lostSince)
		}
		o.lostSince, o.reason = 0, ""
		return
	}
	o.lost++
	o.lostSince++
	if o.lostSince == 1 {
		o.log.Warn("replies cannot be published and are lost", "outcome", outcome.String())
	}
}

// lostReplies returns how many replies could not be published so far.
func (o *publisher) lostReplies() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost
}
