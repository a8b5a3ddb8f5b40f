package demo

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

// version is what the actors answer to the command version.
const version = "1.0.0"

// Config says where the observatory is run.
type Config struct {
	// URL is the broker's address.
	URL string
	// Dial replaces the network, for an embedded broker.
	Dial func(network, addr string) (net.Conn, error)
	// Exchange is the exchange to use; "" is CLU's.
	Exchange string
	// Logger is for the actors' logs; nil is [slog.Default].
	Logger *slog.Logger
	// Speed is how many simulated seconds pass in a second; 0 is one. Broadcasts,
	// slews and exposures are faster by it.
	Speed float64
	// Seed makes the weather of two runs the same, if it is the same.
	Seed uint64
	// Ready, if set, is called once, when all four are linked for the first time.
	Ready func()
}

// device is one simulated actor.
type device struct {
	actor *actor.Actor
	// live tells what goes on without a command, until the context ends.
	live func(context.Context)
}

// Run runs the four actors until the context ends. The error is nil, or why they
// could not be made: a URL that is none.
func Run(ctx context.Context, cfg Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := newClock(cfg.Speed)
	var devices []device
	for _, add := range []func(Config, clock) (device, error){newMount, newDome, newCamera, newWeather} {
		d, err := add(cfg, t)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		devices = append(devices, d)
	}
	var running, linked sync.WaitGroup
	for _, d := range devices {
		linked.Add(1)
		running.Go(func() {
			// Without FailFast a link never gives up, so there is no error.
			_ = d.actor.Run(ctx)
		})
		running.Go(func() {
			err := d.actor.Ready(ctx)
			linked.Done()
			if err == nil {
				d.live(ctx)
			}
		})
	}
	linked.Wait()
	if ctx.Err() == nil && cfg.Ready != nil {
		cfg.Ready()
	}
	running.Wait()
	return nil
}

// newActor makes an actor of the observatory.
func newActor(cfg Config, name string, keywords model, onReply func(actor.Reply)) (*actor.Actor, error) {
	return actor.New(actor.Config{
		Name:    name,
		Version: version,
		Schema:  keywords.schema(),
		Link:    amqpx.Config{URLs: []string{cfg.URL}, Dial: cfg.Dial, Exchange: cfg.Exchange, Logger: cfg.Logger},
		OnReply: onReply,
	})
}
