package actor

import (
	"log/slog"
	"sync"

	"github.com/clu-ws/clu-ws/amqpx"
)

// unsettledReplies is how many replies of one actor may be without an outcome.
// It is below what a link lets wait, so that a command that writes faster than
// the broker reads is slowed down and its replies are not refused.
const unsettledReplies = 512

// outbound publishes an actor's replies. One that cannot be published is
// counted and not held: told later it would be taken for news.
type outbound struct {
	link      *amqpx.Link
	log       *slog.Logger
	unsettled chan struct{}

	// mu guards the following fields.
	mu     sync.Mutex
	lost   uint64 // in all
	since  uint64 // of them since the last that was published
	reason string // for which the last one was refused
}

// newOutbound makes one for a link that lets so many publishes wait; 0 is its
// default.
func newOutbound(log *slog.Logger, waiting int) *outbound {
	unsettledReplies := unsettledReplies
	if waiting > 0 {
		unsettledReplies = min(unsettledReplies, waiting)
	}
	return &outbound{log: log, unsettled: make(chan struct{}, unsettledReplies)}
}

// send publishes a reply. It waits while too many have no outcome yet, at most
// as long as the link takes to give one up.
func (o *outbound) send(r Reply) {
	o.unsettled <- struct{}{}
	err := o.link.Publish(r.Message(), func(outcome amqpx.Outcome) {
		<-o.unsettled
		o.note(outcome)
	})
	if err != nil {
		<-o.unsettled
		o.refused(r, err)
	}
}

// refused counts a reply that the link does not take, with one log line for as many as
// are refused for the same reason: a user who may not write loses all of them.
func (o *outbound) refused(r Reply, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost++
	o.since++
	if reason := err.Error(); reason != o.reason {
		o.reason = reason
		o.log.Error("a reply cannot be sent", "error", err, "command_id", r.CommandID, "commander_id", r.CommanderID)
	}
}

// note counts what was lost, with one log line when it begins and one when it
// is over. A reply that came back found nobody listening; it is not lost.
func (o *outbound) note(outcome amqpx.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if outcome == amqpx.Confirmed || outcome == amqpx.Returned {
		if o.since > 0 {
			o.log.Info("replies are published again", "lost", o.since)
		}
		o.since, o.reason = 0, ""
		return
	}
	o.lost++
	o.since++
	if o.since == 1 {
		o.log.Warn("replies cannot be published and are lost", "outcome", outcome.String())
	}
}

// lostReplies is how many replies could not be published so far.
func (o *outbound) lostReplies() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost
}
