package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

// observerName is the observer's name on the exchange.
const observerName = "night-observer"

// observer is a program that observes each night, by commands like those of people. An actor to which
// somebody else sends a command is left to them until the next dusk.
type observer struct {
	client *actor.Client
	night  *night
	random *rand.Rand

	// mu guards the following fields.
	mu      sync.Mutex
	safe    bool            // the latest of the weather actor
	changed chan struct{}   // closed when safe changes
	theirs  map[string]bool // actors to which somebody else has sent a command this night
}

func newObserver(cfg Config, n *night) (*observer, error) {
	o := &observer{
		night: n, random: rand.New(rand.NewPCG(cfg.Seed, 2)), safe: true,
		changed: make(chan struct{}), theirs: map[string]bool{},
	}
	var err error
	o.client, err = actor.NewClient(actor.Config{
		Name:    observerName,
		Link:    amqpx.Config{URLs: []string{cfg.URL}, Dial: cfg.Dial, Exchange: cfg.Exchange, Logger: cfg.Logger},
		OnReply: o.onReply,
	})
	return o, err
}

// onReply follows the weather, and notes who else sends commands. Replies that are internal are not
// meant for people: they answer programs.
func (o *observer) onReply(r actor.Reply) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.CommandID != "" && !r.Internal && !strings.HasPrefix(r.CommanderID, observerName+".") {
		o.theirs[r.Sender] = true
	}
	var safe bool
	if r.Sender == "weather" && json.Unmarshal(r.Keywords()["is_safe"], &safe) == nil && safe != o.safe {
		o.safe = safe
		close(o.changed)
		o.changed = make(chan struct{})
	}
}

// weather reports whether the weather is safe, and returns a channel that is closed when that changes.
func (o *observer) weather() (safe bool, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.safe, o.changed
}

// run observes until the context ends.
func (o *observer) run(ctx context.Context) {
	if o.client.Ready(ctx) != nil {
		return
	}
	for number := 0; ctx.Err() == nil; number++ {
		o.mu.Lock()
		clear(o.theirs)
		o.mu.Unlock()
		if o.night.until(ctx, number, 4*time.Minute) != nil {
			return
		}
		o.observe(ctx, number)
		o.do(ctx, "dome", "close")
		o.do(ctx, "mount", "park")
		_ = o.night.until(ctx, number+1, 0) // an error means that the context has ended
	}
}

// observe takes flats at dusk and then images, as long as the weather is safe, until dawn.
func (o *observer) observe(ctx context.Context, number int) {
	o.do(ctx, "dome", "open")
	o.do(ctx, "spectrograph", "lamp on")
	o.do(ctx, "camera", "expose 1 flat")
	o.do(ctx, "spectrograph", "lamp off")
	for ctx.Err() == nil && !o.night.ends(number) {
		safe, changed := o.weather()
		if !safe {
			o.do(ctx, "mount", "park")
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
			continue
		}
		o.takeImages(ctx, number)
	}
}

// takeImages points the telescope and the dome somewhere, and takes two images, unless the night ends.
func (o *observer) takeImages(ctx context.Context, number int) {
	at := horizontal{alt: 35 + 45*o.random.Float64(), az: 360 * o.random.Float64()}
	target := at.equatorial(o.night.clock.now())
	for _, c := range []struct{ consumer, commandString string }{
		{"dome", "open"},
		{"mount", fmt.Sprintf("slew %.4f %.4f", target.ra, target.dec)},
		{"dome", fmt.Sprintf("rotate %.1f", min(at.az, 359.9))},
		{"camera", "expose 6 light"},
		{"spectrograph", "frame"},
		{"camera", "expose 6 light"},
		{"spectrograph", "frame"},
	} {
		if !o.night.ends(number) {
			o.do(ctx, c.consumer, c.commandString)
		}
	}
	// Nothing above takes time if the actors are theirs, or refuse.
	_ = o.night.clock.wait(ctx, time.Second) // an error means that the context has ended
}

// do sends a command and waits for its end, unless somebody else uses the actor or the weather is
// unsafe. An exposure is aborted when the weather becomes unsafe. How commands end is for everyone to
// see; the observer goes on in any case.
func (o *observer) do(ctx context.Context, consumer, commandString string) {
	o.mu.Lock()
	theirs := o.theirs[consumer]
	o.mu.Unlock()
	safe, changed := o.weather()
	closing := commandString == "close" || commandString == "park"
	if theirs || ctx.Err() != nil || !safe && !closing {
		return
	}
	p, err := o.client.Send(ctx, consumer, commandString, actor.SendOptions{})
	if err != nil {
		return
	}
	if consumer == "camera" {
		ended, stop := context.WithCancel(ctx)
		defer stop()
		go o.abort(ended, changed)
	}
	_, _ = p.Wait(ctx)
}

// abort aborts an exposure when the weather changes, unless the context ends before.
func (o *observer) abort(ctx context.Context, changed <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-changed:
		if p, err := o.client.Send(ctx, "camera", "abort", actor.SendOptions{}); err == nil {
			_, _ = p.Wait(ctx)
		}
	}
}
