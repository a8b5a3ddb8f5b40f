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
	if !b.unroutables.arrived(d.MessageId) {
		return
	}
	buf := make([]byte, engine.HeaderRoom, engine.HeaderRoom+envelopeRoom+len(d.Body))
	buf, err := b.cfg.Envelope.Append(buf, d)
	if err != nil {
		b.drops.note(err, d)
		return
	}
	b.all.Append(engine.Seal(buf))
}

// skipped is the notice for a client that read so slowly that replies are left out.
func (b *Bridge) skipped(_ any, missed uint64) engine.Frame {
	return b.errorFrame("", fmt.Sprintf("%d replies were left out here: this client reads too slowly", missed))
}

// drops counts and logs what was dropped: one line a second for each reason at
// most, with how many it stands for and the last of them.
type drops struct {
	log *slog.Logger

	// mu guards the following field.
	mu      sync.Mutex
	reasons map[actor.Drop]*dropped
}

type dropped struct {
	count, logged int
	last          []any       // the last message, for the log
	quiet         *time.Timer // set for a second after each line
}

func (dr *drops) note(err error, d *amqpx.Delivery) {
	reason, ok := err.(actor.Drop)
	if !ok {
		reason = actor.Drop(err.Error())
	}
	dr.mu.Lock()
	defer dr.mu.Unlock()
	if dr.reasons == nil {
		dr.reasons = map[actor.Drop]*dropped{}
	}
	r := dr.reasons[reason]
	if r == nil {
		r = new(dropped)
		dr.reasons[reason] = r
	}
	r.count++
	r.last = []any{"sender", d.Headers["sender"], "routing_key", d.RoutingKey, "message_id", d.MessageId, "bytes", len(d.Body)}
	if r.quiet == nil {
		dr.tell(reason, r)
		dr.hush(reason, r)
	}
}

// hush keeps a reason out of the log for a second, then tells what came
// meanwhile. mu is held.
func (dr *drops) hush(reason actor.Drop, r *dropped) {
	r.quiet = time.AfterFunc(time.Second, func() {
		dr.mu.Lock()
		defer dr.mu.Unlock()
		if r.quiet = nil; dr.tell(reason, r) {
			dr.hush(reason, r)
		}
	})
}

// tell logs what was not logged yet, if there is anything. mu is held.
func (dr *drops) tell(reason actor.Drop, r *dropped) bool {
	left := r.count - r.logged
	if left == 0 {
		return false
	}
	dr.log.Warn("dropped a message that is no reply", append([]any{"reason", string(reason), "count", left}, r.last...)...)
	r.logged = r.count
	return true
}

// end tells what is left. Nothing is noted after it.
func (dr *drops) end() {
	dr.mu.Lock()
	defer dr.mu.Unlock()
	for reason, r := range dr.reasons {
		if r.quiet != nil {
			r.quiet.Stop()
		}
		dr.tell(reason, r)
	}
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
