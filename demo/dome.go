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
	guards   bool // whether it keeps itself closed while the weather is unsafe
	shutter  task
	rotation task
	// unsafeWeather has a token once the weather has become unsafe.
	unsafeWeather chan struct{}

	// mu guards the following fields.
	mu        sync.Mutex
	state     string  // closed, opening, open, closing, stopped
	openShare float64 // share, 0 to 1
	az        float64
	rotating  bool
	unsafe    bool // the latest of the weather actor
}

var domeModel = model{
	"dome_shutter":         text("What the shutter is doing").oneOf("closed", "opening", "open", "closing", "stopped"),
	"dome_shutter_percent": number("%", "How far the shutter is open").between(0, 100),
	"dome_az_deg":          number("deg", "Azimuth of the opening, from north through east").between(0, 360),
	"dome_target_az_deg":   number("deg", "Azimuth to which the dome rotates").between(0, 360),
	"dome_rotating":        boolean("Whether the dome rotates"),
	"weather_safe":         boolean("Whether the weather is safe, by the weather actor"),
	"alert":                text("An event that needs attention"),
}

func newDome(cfg Config, clock clock) (device, error) {
	d := &dome{clock: clock, guards: !cfg.NoDomeGuard, state: "closed", unsafeWeather: make(chan struct{}, 1)}
	var err error
	if d.actor, err = newActor(cfg, "dome", domeModel, d.onReply); err != nil {
		return device{}, err
	}
	d.actor.Handle("open", d.openHelp(), d.openShutter)
	d.actor.Handle("close", "Closes the shutter.", d.closeShutter)
	d.actor.Handle("rotate AZ:float(0..<360)", "Rotates the opening by the shorter way.\n\nAZ  Azimuth, from north through east. [deg]", d.rotate)
	d.actor.Handle("stop", "Stops the shutter and the rotation.", d.stop)
	d.actor.Handle("status", "Reports shutter and azimuth.", d.status)
	return device{actor: d.actor, broadcast: d.broadcast}, nil
}

func (d *dome) openHelp() string {
	if d.guards {
		return "Opens the shutter, if the weather is safe."
	}
	return "Opens the shutter, in any weather."
}

// onReply follows the weather actor's broadcasts.
func (d *dome) onReply(r actor.Reply) {
	if r.Sender != "weather" {
		return
	}
	var safe bool
	if json.Unmarshal(r.Keywords()["is_safe"], &safe) != nil {
		return
	}
	d.mu.Lock()
	became := d.guards && !safe && !d.unsafe
	d.unsafe = !safe
	d.mu.Unlock()
	if became {
		select {
		case d.unsafeWeather <- struct{}{}:
		default:
		}
	}
}

// broadcast publishes the dome's state, and closes it when the weather becomes unsafe, if it guards itself.
func (d *dome) broadcast(ctx context.Context) {
	for {
		d.actor.Broadcast(actor.Info, d.keywords())
		timer := d.clock.timer(statusInterval)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-d.unsafeWeather:
			d.closeAutomatically(ctx)
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// closeAutomatically closes the dome without a command, also while it opens.
func (d *dome) closeAutomatically(ctx context.Context) {
	if d.shutterState() == "closing" {
		return
	}
	d.shutter.stop(errDomeClosing)
	if d.shutterState() == "closed" {
		return
	}
	d.actor.Broadcast(actor.Warning, actor.Keywords{"alert": "The weather is unsafe: the dome closes automatically."})
	// An error means that a command stopped or closed it meanwhile.
	_ = d.moveClosed(ctx, d.actor.Broadcast)
}

func (d *dome) keywords() actor.Keywords {
	d.mu.Lock()
	defer d.mu.Unlock()
	return actor.Keywords{
		"dome_shutter":         d.state,
		"dome_shutter_percent": round(100*d.openShare, 1),
		"dome_az_deg":          round(d.az, 1),
		"dome_rotating":        d.rotating,
		"weather_safe":         !d.unsafe,
	}
}

func (d *dome) shutterState() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state
}

func (d *dome) openShutter(ctx context.Context, c *actor.Call) error {
	if err := d.moveOpen(ctx, c); err != nil {
		return err
	}
	c.Finish(d.keywords())
	return nil
}

// moveOpen opens the shutter. It checks the weather once the shutter is its own: a
// later change stops it.
func (d *dome) moveOpen(ctx context.Context, c *actor.Call) error {
	ctx, end, ok := d.shutter.begin(ctx)
	if !ok {
		return refusef("The shutter is moving already; wait, or stop it.")
	}
	defer end()
	d.mu.Lock()
	unsafe := d.guards && d.unsafe
	d.mu.Unlock()
	if unsafe {
		return refusef("The weather is unsafe; the dome stays closed until the weather actor says is_safe.")
	}
	return d.drive(ctx, 1, "opening", "open", c.Reply)
}

func (d *dome) closeShutter(ctx context.Context, c *actor.Call) error {
	if err := d.moveClosed(ctx, c.Reply); err != nil {
		return err
	}
	c.Finish(d.keywords())
	return nil
}

// moveClosed closes the shutter. It stops an opening, since a closed dome is safe.
func (d *dome) moveClosed(ctx context.Context, reply func(actor.Code, actor.Keywords)) error {
	if d.shutterState() != "closing" {
		d.shutter.stop(errDomeClosing)
	}
	ctx, end, ok := d.shutter.begin(ctx)
	if !ok {
		return refusef("The shutter is moving already; wait, or stop it.")
	}
	defer end()
	return d.drive(ctx, 0, "closing", "closed", reply)
}

// drive moves the shutter to a share, 0 or 1, and reports its progress.
func (d *dome) drive(ctx context.Context, to float64, moving, arrived string, reply func(actor.Code, actor.Keywords)) error {
	d.mu.Lock()
	from := d.openShare
	d.mu.Unlock()
	began := d.clock.now()
	takes := time.Duration(math.Abs(to-from) * float64(shutterTime))
	for {
		left := takes - d.clock.now().Sub(began)
		if left <= 0 {
			d.setShutter(arrived, to)
			return nil
		}
		share := 1 - float64(left)/float64(takes)
		d.setShutter(moving, from+share*(to-from))
		reply(actor.Info, d.keywords())
		if err := d.clock.wait(ctx, min(reportInterval, left)); err != nil {
			share = min(1, float64(d.clock.now().Sub(began))/float64(takes))
			d.setShutter("stopped", from+share*(to-from))
			return err
		}
	}
}

func (d *dome) setShutter(state string, open float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state, d.openShare = state, open
}

func (d *dome) rotate(ctx context.Context, c *actor.Call) error {
	target, err := c.Float("AZ")
	if err != nil {
		return err
	}
	if err := d.turnTo(ctx, c, target); err != nil {
		return err
	}
	c.Finish(d.keywords())
	return nil
}

// turnTo rotates by the shorter way, and reports its progress.
func (d *dome) turnTo(ctx context.Context, c *actor.Call, target float64) error {
	ctx, end, ok := d.rotation.begin(ctx)
	if !ok {
		return refusef("The dome is rotating already; stop it first, or wait.")
	}
	defer end()
	defer d.setRotating(false)
	d.setRotating(true)
	d.mu.Lock()
	from := d.az
	d.mu.Unlock()
	way := shortestTurn(from, target)
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
		if err := d.clock.wait(ctx, min(reportInterval, left)); err != nil {
			return err
		}
	}
}

func (d *dome) setAz(az float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.az = normalizeAngle(az)
}

func (d *dome) setRotating(turns bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rotating = turns
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
