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

// version is the answer to the command version.
const version = "1.0.0"

// Config is the configuration of the observatory.
type Config struct {
	// URL is the broker's address.
	URL string
	// Dial replaces the network, for an embedded broker.
	Dial func(network, addr string) (net.Conn, error)
	// Exchange is the exchange of the actors; "" is CLU's.
	Exchange string
	// Logger receives the actors' logs; nil is [slog.Default].
	Logger *slog.Logger
	// Speed is how many simulated seconds pass in a second; 0 is one. Broadcasts, slews
	// and exposures are faster by this factor.
	Speed float64
	// Seed determines the weather: two runs with the same seed have the same weather.
	Seed uint64
	// Ready, if set, is called once, when all four actors are linked.
	Ready func()
}

// device is one simulated actor.
type device struct {
	actor *actor.Actor
	// broadcast publishes the state of the device, without a command, until the context
	// ends.
	broadcast func(context.Context)
}

// Run runs the four actors until the context ends. The error is nil, or that of a
// configuration with which they cannot be made, such as a wrong URL.
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
				d.broadcast(ctx)
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

// newActor returns an actor of the observatory.
func newActor(cfg Config, name string, keywords model, onReply func(actor.Reply)) (*actor.Actor, error) {
	return actor.New(actor.Config{
		Name:    name,
		Version: version,
		Schema:  keywords.schema(),
		Link:    amqpx.Config{URLs: []string{cfg.URL}, Dial: cfg.Dial, Exchange: cfg.Exchange, Logger: cfg.Logger},
		OnReply: onReply,
	})
}
