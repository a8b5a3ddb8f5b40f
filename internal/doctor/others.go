package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

// kept checks the queue or the stream that keeps the replies while the bridge is away.
func (r *Report) kept(cfg Config, i *amqpx.Inspection) {
	if cfg.Stream == nil && cfg.Expires == 0 {
		return
	}
	q := amqpx.Queue{Name: actor.RepliesQueue(cmp.Or(cfg.Name, randomName)), Expires: cfg.Expires, Stream: cfg.Stream, Deliver: func(*amqpx.Delivery) {}}
	check, what := "broker.kept", "queue that keeps the replies"
	if cfg.Stream != nil {
		check, what = "broker.stream", fmt.Sprintf("stream %q", cfg.Stream.Name)
	}
	switch exists, err := i.Keep(q); {
	case err != nil:
		r.Fail(check, mendOf(err), "%v", cfg.Advise(err))
	case exists:
		r.OK(check, "the %s is there, as the bridge declares it", what)
	default:
		r.OK(check, "there is no %s yet; the bridge can make it", what)
	}
}

// sources checks the exchanges of rooms, and links to each as the bridge does.
func (r *Report) sources(ctx context.Context, cfg Config, broker string, i *amqpx.Inspection) {
	for _, s := range cfg.Sources {
		options := amqpx.ExchangeOptions{Type: s.Type, Passive: true}
		exists, err := i.Exchange(s.Exchange, options)
		var warnings []logLine
		if err == nil {
			link := cfg.link(broker)
			link.Exchange, link.ExchangeOptions = s.Exchange, options
			link.Queues = []amqpx.Queue{{Name: cfg.own() + "_" + s.Exchange, Bindings: []string{s.Binding}, Deliver: func(*amqpx.Delivery) {}}}
			_, warnings, err = try(ctx, link, 0)
		}
		switch {
		case err != nil:
			r.Fail("broker.source", mendOf(err), "rooms get nothing from the exchange %q: %v", s.Exchange, cfg.Advise(err))
		case exists:
			r.OK("broker.source", "the exchange %q of rooms is there, and the bridge can read it", s.Exchange)
		default:
			r.Warn("broker.source", "start its publisher, or correct --source", "there is no exchange %q; the bridge will make one", s.Exchange)
		}
		for _, line := range warnings {
			r.Warn("broker.source", line.advice, "the exchange %q of rooms: %s", s.Exchange, line.text)
		}
	}
}

// published checks the exchanges to which the bridge publishes of itself. Nothing is published there: its readers would
// take it for a client.
func (r *Report) published(cfg Config, i *amqpx.Inspection) {
	if cfg.Presence != "" {
		r.mayPublish(cfg, i, cfg.Presence, "broker.presence", "presence")
	}
	for _, exchange := range cfg.Status {
		r.mayPublish(cfg, i, exchange, "dialect.status", "the status of a dialect's clients")
	}
}

// mayPublish checks an exchange to which the bridge publishes something.
func (r *Report) mayPublish(cfg Config, i *amqpx.Inspection, exchange, check, what string) {
	options := amqpx.ExchangeOptions{Passive: true, Persistent: true}
	exists, err := i.Exchange(exchange, options)
	if err == nil && !exists {
		err = i.MayMake(exchange, options)
	}
	if err == nil {
		err = i.MayPublish(exchange)
	}
	switch {
	case err != nil:
		r.Fail(check, mendOf(err), "%s cannot be published: %v", what, cfg.Advise(err))
	case exists:
		r.OK(check, "the exchange %q of %s is there, and the bridge may publish to it", exchange, what)
	default:
		r.OK(check, "there is no exchange %q of %s yet; the bridge may make it, and publish to it", exchange, what)
	}
}

// mendOf says where to read on about an error that does not say itself how to mend it.
func mendOf(err error) string {
	if e, ok := errors.AsType[*amqpx.Error](err); ok && e.Kind != amqpx.AccessDenied {
		return ""
	}
	return permissionsPage
}
