package demo

import (
	"context"
	"encoding/json"
	"math"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/actor"
)

const (
	shutterTime = 3 * time.Second // from closed to open
	domeRate    = 6.0             // degrees a second
)

const (
	errDomeStopped = refusal("The dome was stopped.")
	errDomeClosing = refusal("The shutter did not open because it must close.")
)

// dome is a rotating dome with a shutter.
type dome struct {
	actor    *actor.Actor
	clock    clock
	shutter  task
	rotation task
	// warned has a token when the weather has become unsafe.
	warned chan struct{}

	// mu guards the following fields.
	mu     sync.Mutex
	state  string  // closed, opening, open, closing, stopped
	open   float64 // share, 0 to 1
	az     float64
	turns  bool
	unsafe bool // as the weather actor said last
}

var domeModel = model{
	"dome_shutter":         text("closed, opening, open, closing or stopped"),
	"dome_shutter_percent": number("how far the shutter is open"),
	"dome_az_deg":          number("azimuth of the opening, degrees from north through east"),
	"dome_target_az_deg":   number("where the dome rotates to"),
	"dome_rotating":        boolean("whether the dome rotates"),
	"weather_safe":         boolean("whether the weather actor says that it is safe"),
	"alert":                text("what somebody should know now"),
}

func newDome(cfg Config, clock clock) (device, error) {
	d := &dome{clock: clock, state: "closed", warned: make(chan struct{}, 1)}
	var err error
	if d.actor, err = newActor(cfg, "dome", domeModel, d.hear); err != nil {
		return device{}, err
	}
	d.actor.Handle("open", "Opens the shutter, if the weather is safe.", d.openShutter)
	d.actor.Handle("close", "Closes the shutter.", d.closeShutter)
	d.actor.Handle("rotate AZ", "Rotates the opening to an azimuth in degrees.", d.rotate)
	d.actor.Handle("stop", "Stops the shutter and the rotation.", d.stop)
	d.actor.Handle("status", "Reports shutter and azimuth.", d.status)
	return device{actor: d.actor, live: d.live}, nil
}

// hear follows the weather actor's broadcasts.
func (d *dome) hear(r actor.Reply) {
	if r.Sender != "weather" {
		return
	}
	var safe bool
	if json.Unmarshal(r.Keywords()["is_safe"], &safe) != nil {
		return
	}
	d.mu.Lock()
	became := !safe && !d.unsafe
	d.unsafe = !safe
	d.mu.Unlock()
	if became {
		select {
		case d.warned <- struct{}{}:
		default:
		}
	}
}

// live tells the dome's state, and closes it when the weather turns.
func (d *dome) live(ctx context.Context) {
	for {
		d.actor.Broadcast(actor.Info, d.keywords())
		timer := d.clock.timer(statusEvery)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-d.warned:
			d.closeByItself(ctx)
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// closeByItself is what the dome does without being asked. An opening that has
// just begun is ended, too.
func (d *dome) closeByItself(ctx context.Context) {
	if d.shutterState() == "closing" {
		return
	}
	d.shutter.stop(errDomeClosing)
	if d.shutterState() == "closed" {
		return
	}
	d.actor.Broadcast(actor.Warning, actor.Keywords{"alert": "The weather is unsafe: the dome closes by itself."})
	// An error says that somebody stopped or closed it.
	_ = d.shut(ctx, d.actor.Broadcast)
}

func (d *dome) keywords() actor.Keywords {
	d.mu.Lock()
	defer d.mu.Unlock()
	return actor.Keywords{
		"dome_shutter":         d.state,
		"dome_shutter_percent": round(100*d.open, 1),
		"dome_az_deg":          round(d.az, 1),
		"dome_rotating":        d.turns,
		"weather_safe":         !d.unsafe,
	}
}

func (d *dome) shutterState() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state
}

func (d *dome) openShutter(ctx context.Context, c *actor.Call) error {
	if err := d.unshut(ctx, c); err != nil {
		return err
	}
	c.Finish(d.keywords())
	return nil
}

// unshut opens the shutter. The weather is looked at when the shutter is taken:
// what comes later ends the opening.
func (d *dome) unshut(ctx context.Context, c *actor.Call) error {
	ctx, end, ok := d.shutter.begin(ctx)
	if !ok {
		return refuse("The shutter is moving already; wait, or stop it.")
	}
	defer end()
	d.mu.Lock()
	unsafe := d.unsafe
	d.mu.Unlock()
	if unsafe {
		return refuse("The weather is unsafe; the dome stays closed until the weather actor says is_safe.")
	}
	return d.drive(ctx, 1, "opening", "open", c.Reply)
}

func (d *dome) closeShutter(ctx context.Context, c *actor.Call) error {
	if err := d.shut(ctx, c.Reply); err != nil {
		return err
	}
	c.Finish(d.keywords())
	return nil
}

// shut closes the shutter. To close is safe: it ends an opening.
func (d *dome) shut(ctx context.Context, tell func(actor.Code, actor.Keywords)) error {
	if d.shutterState() != "closing" {
		d.shutter.stop(errDomeClosing)
	}
	ctx, end, ok := d.shutter.begin(ctx)
	if !ok {
		return refuse("The shutter is moving already; wait, or stop it.")
	}
	defer end()
	return d.drive(ctx, 0, "closing", "closed", tell)
}

// drive moves the shutter to a share, 0 or 1, and tells on the way.
func (d *dome) drive(ctx context.Context, to float64, moving, there string, tell func(actor.Code, actor.Keywords)) error {
	d.mu.Lock()
	from := d.open
	d.mu.Unlock()
	began := d.clock.now()
	takes := time.Duration(math.Abs(to-from) * float64(shutterTime))
	for {
		left := takes - d.clock.now().Sub(began)
		if left <= 0 {
			d.setShutter(there, to)
			return nil
		}
		share := 1 - float64(left)/float64(takes)
		d.setShutter(moving, from+share*(to-from))
		tell(actor.Info, d.keywords())
		if err := d.clock.wait(ctx, min(tellEvery, left)); err != nil {
			share = min(1, float64(d.clock.now().Sub(began))/float64(takes))
			d.setShutter("stopped", from+share*(to-from))
			return err
		}
	}
}

func (d *dome) setShutter(state string, open float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state, d.open = state, open
}

func (d *dome) rotate(ctx context.Context, c *actor.Call) error {
	target, err := c.Float("AZ")
	if err != nil {
		return err
	}
	if target < 0 || target >= 360 {
		return refuse("AZ is %g degrees; it must be at least 0 and below 360.", target)
	}
	if err := d.turnTo(ctx, c, target); err != nil {
		return err
	}
	c.Finish(d.keywords())
	return nil
}

// turnTo rotates the short way, and reports on it.
func (d *dome) turnTo(ctx context.Context, c *actor.Call, target float64) error {
	ctx, end, ok := d.rotation.begin(ctx)
	if !ok {
		return refuse("The dome is rotating already; stop it first, or wait.")
	}
	defer end()
	defer d.setRotating(false)
	d.setRotating(true)
	d.mu.Lock()
	from := d.az
	d.mu.Unlock()
	way := shortWay(from, target)
	began := d.clock.now()
	takes := time.Duration(math.Abs(way) / domeRate * float64(time.Second))
	for {
		left := takes - d.clock.now().Sub(began)
		if left <= 0 {
			d.setAz(target)
			return nil
		}
		d.setAz(from + way*(1-float64(left)/float64(takes)))
		k := d.keywords()
		k["dome_target_az_deg"] = target
		c.Info(k)
		if err := d.clock.wait(ctx, min(tellEvery, left)); err != nil {
			return err
		}
	}
}

func (d *dome) setAz(az float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.az = turn(az)
}

func (d *dome) setRotating(turns bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turns = turns
}

func (d *dome) stop(_ context.Context, c *actor.Call) error {
	d.shutter.stop(errDomeStopped)
	d.rotation.stop(errDomeStopped)
	c.Finish(d.keywords())
	return nil
}

func (d *dome) status(_ context.Context, c *actor.Call) error {
	c.Finish(d.keywords())
	return nil
}
