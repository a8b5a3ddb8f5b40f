package bridge

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
)

// envelopeRoom is about what an envelope needs beside the body, in bytes.
const envelopeRoom = 384

// deliver brings a reply to every client. It runs on the link's goroutine, and
// waits while the engine is behind: the broker keeps what comes meanwhile.
func (b *Bridge) deliver(d *amqpx.Delivery) {
	buf := make([]byte, engine.HeaderRoom, engine.HeaderRoom+envelopeRoom+len(d.Body))
	buf, err := b.cfg.Envelope.Append(buf, d)
	if err != nil {
		b.drops.note(err, d, time.Now())
		return
	}
	b.all.Append(engine.Seal(buf))
}

// skipped is the notice for a client that read so slowly that replies are left out.
func (b *Bridge) skipped(_ any, missed uint64) engine.Frame {
	return b.errorFrame("", fmt.Sprintf("%d replies were left out here: this client reads too slowly", missed))
}

// Dropped is how many messages on reply.# were not handed on, by reason.
func (b *Bridge) Dropped() map[actor.Drop]int { return b.drops.counts() }

// drops counts and logs what was dropped: one line a second for each reason at
// most, with what it leaves out.
type drops struct {
	log *slog.Logger

	// mu guards the following field.
	mu      sync.Mutex
	reasons map[actor.Drop]*dropped
}

type dropped struct {
	count, logged int
	last          time.Time
}

func (dr *drops) note(err error, d *amqpx.Delivery, now time.Time) {
	reason, ok := err.(actor.Drop)
	if !ok {
		reason = actor.Drop(err.Error())
	}
	dr.mu.Lock()
	if dr.reasons == nil {
		dr.reasons = map[actor.Drop]*dropped{}
	}
	r := dr.reasons[reason]
	if r == nil {
		r = new(dropped)
		dr.reasons[reason] = r
	}
	r.count++
	quiet := now.Sub(r.last) < time.Second
	left := r.count - r.logged
	if !quiet {
		r.last, r.logged = now, r.count
	}
	dr.mu.Unlock()
	if quiet {
		return
	}
	dr.log.Warn("dropped a message that is no reply", "reason", string(reason), "count", left,
		"sender", d.Headers["sender"], "routing_key", d.RoutingKey, "message_id", d.MessageId, "bytes", len(d.Body))
}

func (dr *drops) counts() map[actor.Drop]int {
	dr.mu.Lock()
	defer dr.mu.Unlock()
	counts := map[actor.Drop]int{}
	for reason, r := range dr.reasons {
		counts[reason] = r.count
	}
	return counts
}
