package demo

import (
	"context"
	"fmt"
	"log/slog"
	"net"

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
	// Night lets nights pass, each in less than six minutes: an observer opens the dome at dusk and
	// takes images, a storm breaks at 00:40, and the spectrograph fails and comes back.
	Night bool
	// NoDomeGuard leaves the dome to those who command it: it neither closes when the weather becomes
	// unsafe nor refuses to open. So somebody can try a guard of their own.
	NoDomeGuard bool
	// Ready, if set, is called once, when all five actors are linked.
	Ready func()
}

// device is one simulated actor.
type device struct {
	actor *actor.Actor
	// broadcast publishes the state of the device, without a command, until the context
	// ends.
	broadcast func(context.Context)
}

// Run runs the five actors until the context ends. The error is nil, or that of a
// configuration with which they cannot be made, such as a wrong URL.
func Run(ctx context.Context, cfg Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := newClock(cfg.Speed)
	weatherDevice, w, err := newWeather(cfg, t)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	devices := []device{weatherDevice}
	for _, add := range []func(Config, clock) (device, error){newMount, newDome, newCamera} {
		d, err := add(cfg, t)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		devices = append(devices, d)
	}
	cold := newCryostat(cfg.Seed)
	run := &runner{cfg: cfg, clock: t}
	if cfg.Night {
		w.night = &night{clock: t}
	}
	for _, d := range devices {
		run.start(ctx, d)
	}
	run.startSpectrograph(ctx, cold)
	if cfg.Night {
		err = run.startNight(ctx, w, cold)
	}
	if err != nil {
		cancel()
	}
	run.linked.Wait()
	if ctx.Err() == nil && cfg.Ready != nil {
		cfg.Ready()
	}
	run.running.Wait()
	return err
}

// newActor returns an actor of the observatory.
func newActor(cfg Config, name string, keywords model, onReply func(actor.Reply)) (*actor.Actor, error) {
	return actor.New(actor.Config{
		Name:    name,
		Version: version,
		Schema:  keywords.schema(),
		Link:    amqpx.Config{URLs: []string{cfg.URL}, Dial: cfg.Dial, Exchange: cfg.Exchange, Logger: cfg.Logger},
		OnReply: onReply,
		// As CLU's actors do, so that a page can show what it makes of it.
		PythonNaN: true,
	})
}
