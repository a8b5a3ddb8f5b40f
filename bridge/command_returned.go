package bridge

import (
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/quota"
)

// fromBridge is the sender of the bridge's own messages. It is a separate party.
type fromBridge struct{}

// Gone implements [amqpx.Sender].
func (fromBridge) Gone() bool { return false }

// failPublicly publishes the failed reply of a command without a consumer, so that every
// client and every other program on the exchange sees it fail. Above the failure rate, only
// the sender is told.
func (b *Bridge) failPublicly(s *outgoing) {
	if !b.failureRate.allow(quota.Address(s.client.Remote())) {
		b.failCommand(s, amqpx.Returned.String(), actor.UnroutableText(s.Consumer), false)
		s.client.commandDone(s.conn)
		return
	}
	msg := s.UnroutableReply(b.cfg.Name)
	told := s.tracked != nil || hears(s.principal, msg)
	b.publishFailedReply(s, msg, pendingReturn{
		report: func() {
			told = true
			b.failCommand(s, amqpx.Returned.String(), actor.UnroutableText(s.Consumer), false)
		},
		done: func() {
			if !told { // the reply came back, but is not for its sender
				b.fail(s.conn, s.client, s.CommandID, amqpx.Returned.String(), actor.UnroutableText(s.Consumer))
			}
			s.client.commandDone(s.conn)
		},
	})
}

// hears reports whether a principal hears the failed reply to its own command.
func hears(p *access.Principal, failed amqpx.Message) bool {
	if p == nil || p.Grants == nil {
		return p == nil
	}
	text := func(header string) string { s, _ := failed.Headers[header].(string); return s }
	r := &filter.Reply{
		Sender: text("sender"), RoutingKey: failed.Key, Code: text("message_code"),
		CommandID: text("command_id"), Commander: text("commander_id"), Keywords: []string{"error"},
	}
	return p.Grants.View.Match(r) || p.Grants.Own && !p.Grants.View.Hides(r)
}

// publishFailedReply publishes that reply. The command has no outcome until the reply comes
// back.
func (b *Bridge) publishFailedReply(s *outgoing, msg amqpx.Message, r pendingReturn) {
	msg.From, msg.Tenant = fromBridge{}, fromBridge{}
	b.pendingReturns.expect(msg.MessageId, s.receivedAt.Add(b.cfg.within), r)
	err := b.link.Publish(msg, func(o amqpx.Outcome) { b.pendingReturns.published(msg.MessageId, o) })
	if err != nil {
		b.pendingReturns.published(msg.MessageId, amqpx.Disconnected) // nothing was sent
	}
}

// Bounds of the failed replies a second that the bridge publishes for commands without a
// consumer: every client of every bridge on the exchange receives them.
const (
	maxFailures        = 100 // in all
	maxAddressFailures = 10  // for the clients of one address
)

// failureRate limits the failed replies that the bridge publishes for commands without a
// consumer.
type failureRate struct {
	now func() time.Time

	// mu guards the following fields.
	mu     sync.Mutex
	second int64          // the current second, since 1970
	all    int            // published in it
	each   map[string]int // by address
}

func newFailureRate() *failureRate {
	return &failureRate{now: time.Now, each: map[string]int{}}
}

// allow reports whether another failed reply may be published for a client of an address.
func (r *failureRate) allow(address string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if second := r.now().Unix(); second != r.second {
		r.second, r.all = second, 0
		clear(r.each)
	}
	if r.all >= maxFailures || r.each[address] >= maxAddressFailures {
		return false
	}
	r.all++
	r.each[address]++
	return true
}
