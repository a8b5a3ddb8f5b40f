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

// Durable says what becomes of replies while the link to the broker is down. Of
// the zero value: they are lost, and the gap is told.
type Durable struct {
	// Expires has the broker keep the bridge's queue, and what comes into it, for
	// this long without the bridge.
	Expires time.Duration
	// Stream has the bridge read a RabbitMQ stream, which remembers replies over
	// the bridge's own restart, and numbers them alike on every bridge.
	Stream *Stream
}

// Stream is a RabbitMQ stream of an exchange's replies.
type Stream struct {
	// Name of the stream. "" is the exchange's, and "_stream".
	Name string
	// Age is how long the broker keeps a reply. 0 is without end.
	Age time.Duration
	// Bytes is how much of the replies the broker keeps. 0 is without end.
	Bytes int64
}

func (s *Stream) name(exchange string) string {
	if s.Name != "" {
		return s.Name
	}
	return exchange + "_stream"
}

// epoch is what the replies' numbers belong to: this bridge's life, or a stream,
// whose offsets are the numbers.
func (cfg *Config) epoch() string {
	if s := cfg.Durable.Stream; s != nil {
		sum := sha256.Sum256([]byte(s.name(cfg.Exchange)))
		return "s" + hex.EncodeToString(sum[:6])
	}
	return hub.NewEpoch()
}

// repliesQueue is where the bridge hears the replies.
func (b *Bridge) repliesQueue() (amqpx.Queue, error) {
	d := b.cfg.Durable
	if d.Expires != 0 && d.Stream != nil {
		return amqpx.Queue{}, errors.New("a queue that expires and a stream are two ways to the same end; choose one")
	}
	q := amqpx.Queue{
		Name:       actor.RepliesQueue(b.cfg.Name),
		Bindings:   []string{"reply.#"},
		Deliver:    b.deliver,
		OnGap:      b.missed,
		CanDeliver: func() bool { return b.engine.HasCapacity() },
		Expires:    d.Expires,
	}
	if s := d.Stream; s != nil {
		q.Stream = &amqpx.Stream{
			Name:       s.name(b.cfg.Exchange),
			MaxAge:     s.Age,
			MaxBytes:   s.Bytes,
			Backlog:    uint64(b.cfg.History.Replies),
			OnCaughtUp: func() { b.hub.Live() },
		}
	}
	return q, nil
}
