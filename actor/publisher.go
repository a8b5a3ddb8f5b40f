package actor

import (
	"log/slog"
	"sync"

	"github.com/clu-ws/clu-ws/amqpx"
)

// maxUnconfirmed is how many replies of one actor may have no outcome yet. A link buffers
// more by default, so a command that writes faster than the broker reads is slowed down,
// and its replies are not refused.
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
	lostSince uint64 // since the last one that was published
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

// send publishes a reply. It waits while too many have no outcome yet, at most until the
// link gives one of them up.
func (p *publisher) send(r Reply) {
	p.slots <- struct{}{}
	err := p.link.Publish(r.Message(), func(outcome amqpx.Outcome) {
		<-p.slots
		p.recordOutcome(outcome)
	})
	if err != nil {
		<-p.slots
		p.recordError(r, err)
	}
}

// recordError counts a reply that the link refuses. Replies refused for the same reason
// share one log line: a user without write permission loses all of them.
func (p *publisher) recordError(r Reply, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost++
	p.lostSince++
	if reason := err.Error(); reason != p.reason {
		p.reason = reason
		p.log.Error("a reply cannot be sent", "error", err, "command_id", r.CommandID, "commander_id", r.CommanderID)
	}
}

// recordOutcome counts lost replies, with one log line for the first and one when
// replies are published again. A returned reply is not lost: it had no listener.
func (p *publisher) recordOutcome(outcome amqpx.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if outcome == amqpx.Confirmed || outcome == amqpx.Returned {
		if p.lostSince > 0 {
			p.log.Info("replies are published again", "lost", p.lostSince)
		}
		p.lostSince, p.reason = 0, ""
		return
	}
	p.lost++
	p.lostSince++
	if p.lostSince == 1 {
		p.log.Warn("replies cannot be published and are lost", "outcome", outcome.String())
	}
}

// lostReplies returns how many replies could not be published so far.
func (p *publisher) lostReplies() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}
