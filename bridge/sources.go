package bridge

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// sourceLink is a source and the link by which it comes.
type sourceLink struct {
	*rooms.Source
	link     *amqpx.Link
	messages atomic.Uint64
	gaps     atomic.Uint64
}

// newSourceLinks makes a link for each source, with a queue of its own.
func (b *Bridge) newSourceLinks() error {
	for i := range b.cfg.Sources {
		f := &sourceLink{Source: &b.cfg.Sources[i]}
		queue := amqpx.Queue{
			Name:     b.cfg.roomsQueue(f.Source),
			Bindings: []string{f.Binding},
			Deliver:  func(d *amqpx.Delivery) { b.deliverToRooms(f, d) },
			OnGap: func(gap amqpx.Gap) {
				f.gaps.Add(1)
				b.log.Warn("messages for rooms may have been lost", "exchange", f.Exchange, "from", gap.From, "to", gap.To)
			},
		}
		like := amqpx.ExchangeOptions{Type: f.Type, Passive: true}
		var err error
		if f.link, err = amqpx.New(b.linkConfig(f.Exchange, like, queue)); err != nil {
			return err
		}
		b.sourceLinks = append(b.sourceLinks, f)
	}
	return nil
}

// linkConfig is that of a link beside the actors'.
func (b *Bridge) linkConfig(exchange string, like amqpx.ExchangeOptions, queues ...amqpx.Queue) amqpx.Config {
	return amqpx.Config{
		URLs:            b.cfg.Broker,
		TLS:             b.cfg.TLS,
		Name:            b.cfg.Name,
		Exchange:        exchange,
		ExchangeOptions: like,
		Queues:          queues,
		Dial:            b.cfg.Dial,
		ProbeAfter:      b.cfg.ProbeAfter,
		Logger:          b.cfg.Logger,
	}
}

// runSourceLinks keeps the links up until the context ends.
func (b *Bridge) runSourceLinks(ctx context.Context, running *sync.WaitGroup) {
	for _, f := range b.sourceLinks {
		running.Go(func() {
			_ = f.link.Run(ctx) // without FailFast there is no error
		})
	}
}

// deliverToRooms brings a message to everyone in its room and in those below. It
// runs on the link's goroutine.
func (b *Bridge) deliverToRooms(f *sourceLink, d *amqpx.Delivery) {
	b.awaitRoom()
	f.messages.Add(1)
	body, err := actor.DecodeBody(d)
	if err != nil {
		b.roomDrops.note(err.Error(), "exchange", f.Exchange, "routing_key", d.RoutingKey, "message_id", d.MessageId, "app_id", d.AppId, "bytes", len(d.Body))
		return
	}
	path, frame := f.Room(d.RoutingKey), rooms.Frame(body)
	b.hub.Broadcast(path, frame)
	b.rooms.Deliver(path, frame)
}

// sourceLinkOf gives the feed of an exchange, which must have the room.
func (b *Bridge) sourceLinkOf(exchange, path string) (*sourceLink, error) {
	for _, f := range b.sourceLinks {
		if f.Exchange != exchange {
			continue
		}
		if !f.Covers(path) {
			return nil, fmt.Errorf("the room %s is not of the source %s; its rooms are at and below %s", quote.Text(path), exchange, f.Path)
		}
		return f, nil
	}
	return nil, fmt.Errorf("there is no source %s; start the bridge with --source exchange=%s", quote.Text(exchange), quote.Short(exchange))
}

// roomRoots are the paths below which there are rooms, for those who look for one.
func (b *Bridge) roomRoots() string {
	var roots []string
	for _, s := range b.cfg.Sources {
		roots = append(roots, s.Path)
	}
	return strings.Join(roots, ", ")
}
