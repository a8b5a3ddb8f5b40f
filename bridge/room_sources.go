package bridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// sourceLink is a source of rooms, and the link to it.
type sourceLink struct {
	*rooms.Source
	link     *amqpx.Link
	messages atomic.Uint64
	gaps     atomic.Uint64
}

// newSourceLinks makes a link for each source, with a queue of its own.
func (b *Bridge) newSourceLinks() error {
	for i := range b.cfg.Sources {
		s := &sourceLink{Source: &b.cfg.Sources[i]}
		queue := amqpx.Queue{
			Name:     b.cfg.roomsQueue(s.Source),
			Bindings: []string{s.Binding},
			Deliver:  func(d *amqpx.Delivery) { b.deliverToRooms(s, d) },
			OnGap: func(gap amqpx.Gap) {
				s.gaps.Add(1)
				b.log.Warn("messages for rooms may have been lost", "exchange", s.Exchange, "from", gap.From, "to", gap.To)
				b.gapForDialects(s.Source, gap.From, gap.To)
			},
		}
		options := amqpx.ExchangeOptions{Type: s.Type, Passive: true, Persistent: s.Type == "direct"}
		var err error
		if s.link, err = amqpx.New(b.linkConfig(s.Exchange, options, queue)); err != nil {
			return err
		}
		b.sourceLinks = append(b.sourceLinks, s)
	}
	return nil
}

// runSourceLinks runs the links until the context ends.
func (b *Bridge) runSourceLinks(ctx context.Context, running *sync.WaitGroup) {
	for _, s := range b.sourceLinks {
		running.Go(func() {
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
	messages, err := s.Decode(d.RoutingKey, body)
	if err != nil {
		b.roomDrops.Note(err.Error(), "exchange", s.Exchange, "routing_key", d.RoutingKey, "message_id", d.MessageId, "app_id", d.AppId, "bytes", len(d.Body))
	}
	for _, m := range messages {
		b.sequence.Take(m)
	}
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
		if s.Redis != nil {
			return errors.New("sources of Redis are not supported yet; give an exchange")
		}
		if s.Exchange == cfg.Exchange {
			return fmt.Errorf("the source %s is the actors' exchange, whose replies every client gets; leave the source out", s.Exchange)
		}
		if cfg.roomsQueue(s) == actor.RepliesQueue(cfg.Name) {
			return fmt.Errorf("the queue of the source %s would have the same name as the queue of the replies; rename the exchange", s.Exchange)
		}
		for _, other := range cfg.Sources[:i] {
			if s.Exchange == other.Exchange {
				return fmt.Errorf("two sources are the exchange %s; give one", s.Exchange)
			}
			if s.Path == other.Path {
				return fmt.Errorf("the sources %s and %s have the same path %s; give each its own", other.Exchange, s.Exchange, s.Path)
			}
		}
	}
	return nil
}

// roomsQueue returns the name of the queue for a source's messages.
func (cfg *Config) roomsQueue(s *rooms.Source) string { return cfg.Name + "_" + s.Exchange }
