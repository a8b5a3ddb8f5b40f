package bridge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/quote"
	"github.com/clu-ws/clu-ws/redislink"
)

// sourceLink is a source of rooms, and the link to it.
type sourceLink struct {
	*rooms.Source
	link     *amqpx.Link // nil for Redis
	redis    *redislink.Link
	messages atomic.Uint64
	gaps     atomic.Uint64
}

// up reports whether messages of the source come.
func (s *sourceLink) up() bool {
	if s.redis != nil {
		return s.redis.State().Up
	}
	state := s.link.State()
	return state.Up && state.QueueDown == ""
}

// newSourceLinks makes a link for each source, with a queue of its own.
func (b *Bridge) newSourceLinks() error {
	for i := range b.cfg.Sources {
		s := &sourceLink{Source: &b.cfg.Sources[i]}
		link := b.linkExchange
		if s.Redis != nil {
			link = b.linkRedis
		}
		if err := link(s); err != nil {
			return err
		}
		b.sourceLinks = append(b.sourceLinks, s)
	}
	return nil
}

func (b *Bridge) linkExchange(s *sourceLink) (err error) {
	queue := amqpx.Queue{
		Name:     b.cfg.roomsQueue(s.Source),
		Bindings: []string{s.Binding},
		Deliver:  func(d *amqpx.Delivery) { b.deliverToRooms(s, d) },
		OnGap:    func(gap amqpx.Gap) { b.missedForRooms(s, gap.From, gap.To) },
	}
	// A direct exchange is declared as the backends of High-templar declare it.
	options := amqpx.ExchangeOptions{Type: s.Type, Passive: true, Persistent: s.Type == "direct"}
	s.link, err = amqpx.New(b.linkConfig(s.Exchange, options, queue))
	return err
}

func (b *Bridge) linkRedis(s *sourceLink) (err error) {
	s.redis, err = redislink.New(redislink.Config{
		URL:      s.Redis.URL,
		TLS:      b.cfg.TLS,
		Channels: s.Redis.Patterns(),
		MaxBody:  actor.MaxBody,
		Deliver: func(channel string, body []byte) {
			b.awaitCapacity()
			s.messages.Add(1)
			b.decodeForRooms(s, channel, body, "channel", quote.Short(channel))
		},
		OnTooLong: func(channel string, size int) {
			s.messages.Add(1)
			b.roomDrops.Note(actor.ErrTooLong.Error(), "source", s.Name(), "bytes", size, "channel", quote.Short(channel))
		},
		OnGap:  func(from, to time.Time) { b.missedForRooms(s, from, to) },
		Logger: b.log.With("source", s.Name()),
	})
	if err != nil {
		return fmt.Errorf("the source %s: %w", s.Name(), err)
	}
	return nil
}

// missedForRooms notes that messages of a source may have been lost between two times.
func (b *Bridge) missedForRooms(s *sourceLink, from, to time.Time) {
	s.gaps.Add(1)
	b.log.Warn("messages for rooms may have been lost", "source", s.Name(), "from", from, "to", to)
	b.resuming.Gap(s.Source, from, to)
	b.gapForDialects(s.Source, from, to)
}

// runSourceLinks runs the links until the context ends.
func (b *Bridge) runSourceLinks(ctx context.Context, running *sync.WaitGroup) {
	for _, s := range b.sourceLinks {
		running.Go(func() {
			if s.redis != nil {
				s.redis.Run(ctx)
				return
			}
			_ = s.link.Run(ctx) // without FailFast there is no error
		})
	}
}

// deliverToRooms delivers a message to the clients of its room and of the rooms below it. It
// runs on the link's goroutine.
func (b *Bridge) deliverToRooms(s *sourceLink, d *amqpx.Delivery) {
	b.awaitCapacity()
	s.messages.Add(1)
	body, err := actor.DecodeBody(d)
	if err != nil {
		b.roomDrops.Note(err.Error(), "exchange", s.Exchange, "routing_key", d.RoutingKey, "message_id", d.MessageId, "app_id", d.AppId, "bytes", len(d.Body))
		return
	}
	if s.Format == rooms.FormatRaw {
		b.sequence.Take(roomMessageOf(s.Room(d.RoutingKey), body, d.Headers))
		return
	}
	b.decodeForRooms(s, d.RoutingKey, body, "routing_key", d.RoutingKey, "message_id", d.MessageId, "app_id", d.AppId)
}

// decodeForRooms delivers what a body is in the source's format. The attributes are for the log.
func (b *Bridge) decodeForRooms(s *sourceLink, key string, body []byte, attributes ...any) {
	var messages []rooms.Message
	var err error = actor.ErrTooLong
	if len(body) <= actor.MaxBody {
		messages, err = s.Decode(key, body)
	}
	if err != nil {
		b.roomDrops.Note(err.Error(), append([]any{"source", s.Name(), "bytes", len(body)}, attributes...)...)
	}
	b.sequence.Take(messages...) // a dialect knows by that which belong together
}

// sourceLinkFor returns the source of an exchange, which must have the room, and to which clients can
// publish; the exchange "" is the room's own.
func (b *Bridge) sourceLinkFor(exchange, path string) (*sourceLink, error) {
	own := rooms.Find(b.cfg.Sources, path)
	for _, s := range b.sourceLinks {
		switch {
		case exchange == "" && s.Source != own, exchange != "" && s.Exchange != exchange:
			continue
		case !s.Covers(path):
			return nil, fmt.Errorf("the room %s is not of the source %s; its rooms are at and below %s", quote.Text(path), exchange, s.Path)
		case s.ReadOnly():
			return nil, fmt.Errorf("the room %s is of the source %s, whose messages come from another system; publish them there", quote.Text(path), s.Name())
		}
		return s, nil
	}
	return nil, fmt.Errorf("there is no source %s; start the bridge with --source exchange=%s", quote.Text(exchange), quote.Short(exchange))
}

// roomRoots lists the paths at and below which there are rooms, for an error text.
func (b *Bridge) roomRoots() string {
	var roots []string
	for _, s := range b.cfg.Sources {
		roots = append(roots, s.Path)
	}
	return strings.Join(roots, ", ")
}

// completeSources sets the defaults of the sources, and checks that they do not conflict.
func (cfg *Config) completeSources() error {
	cfg.Sources = slices.Clone(cfg.Sources)
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		if err := s.Complete(); err != nil {
			return err
		}
		if err := cfg.checkSource(s); err != nil {
			return err
		}
		for _, other := range cfg.Sources[:i] {
			if s.Exchange == other.Exchange && s.Redis == nil && other.Redis == nil {
				return fmt.Errorf("two sources are the exchange %s; give one", s.Exchange)
			}
			if s.Path == other.Path {
				return fmt.Errorf("the sources %s and %s have the same path %s; give each its own", other.Name(), s.Name(), s.Path)
			}
		}
	}
	return nil
}

// checkSource checks that a source is nothing that the bridge uses otherwise.
func (cfg *Config) checkSource(s *rooms.Source) error {
	switch {
	case s.Redis != nil:
		if err := redislink.CheckURL(s.Redis.URL); err != nil {
			return fmt.Errorf("the source %s: %w", s.Name(), err)
		}
	case s.Exchange == cfg.Exchange:
		return fmt.Errorf("the source %s is the actors' exchange, whose replies every client gets; leave the source out", s.Exchange)
	case cfg.roomsQueue(s) == actor.RepliesQueue(cfg.Name):
		return fmt.Errorf("the queue of the source %s would have the same name as the queue of the replies; rename the exchange", s.Exchange)
	}
	return nil
}

// roomsQueue returns the name of the queue for a source's messages.
func (cfg *Config) roomsQueue(s *rooms.Source) string { return cfg.Name + "_" + s.Exchange }
