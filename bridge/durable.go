package bridge

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/hub"
)

// Durable says what happens to replies while the link to the broker is down. By default they
// are lost, and clients are told of the gap. At most one of the fields may be set.
type Durable struct {
	// Expires makes the broker keep the bridge's queue, and the replies in it, for this long
	// while the bridge is away.
	Expires time.Duration
	// Stream makes the bridge read a RabbitMQ stream, which keeps replies even while the
	// bridge restarts and gives them the same numbers on every bridge.
	Stream *Stream
}

func (d *Durable) check() error {
	if d.Expires != 0 && d.Stream != nil {
		return errors.New("a queue that expires and a stream are two ways to the same end; choose one")
	}
	return nil
}

// Stream is a RabbitMQ stream of an exchange's replies.
type Stream struct {
	// Name is the stream's. "" is the exchange's name followed by "_stream".
	Name string
	// Age is how long the broker keeps a reply. 0 is forever.
	Age time.Duration
	// Bytes is how many bytes of replies the broker keeps. 0 is all.
	Bytes int64
}

func (s *Stream) name(exchange string) string {
	if s.Name != "" {
		return s.Name
	}
	return exchange + "_stream"
}

// epoch returns the epoch of the replies' numbers: that of a stream, whose positions are the
// numbers, or a random one for the life of this bridge.
func (cfg *Config) epoch() string {
	if s := cfg.Durable.Stream; s != nil {
		sum := sha256.Sum256([]byte(s.name(cfg.Exchange)))
		return "s" + hex.EncodeToString(sum[:6])
	}
	return hub.NewEpoch()
}

// repliesQueue returns the queue or stream from which replies come.
func (b *Bridge) repliesQueue() amqpx.Queue {
	q := amqpx.Queue{
		Name:          actor.RepliesQueue(b.cfg.Name),
		Bindings:      []string{"reply.#"},
		Deliver:       func(d *amqpx.Delivery) { b.deliver(d, false) },
		DeliverWaited: func(d *amqpx.Delivery) { b.deliver(d, true) },
		OnGap:         b.missed,
		CanDeliver:    func() bool { return b.engine.HasCapacity() },
		Expires:       b.cfg.Durable.Expires,
	}
	if s := b.cfg.Durable.Stream; s != nil {
		q.Stream = &amqpx.Stream{
			Name:       s.name(b.cfg.Exchange),
			MaxAge:     s.Age,
			MaxBytes:   s.Bytes,
			Backlog:    uint64(b.cfg.History.Replies),
			OnCaughtUp: b.caughtUp,
		}
	}
	return q
}
