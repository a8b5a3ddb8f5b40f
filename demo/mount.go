package demo

import (
	"context"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/actor"
)

const (
	slewRate       = 10.0 // degrees a second, each axis
	settleTime     = time.Second
	lowestAlt      = 15.0
	reportInterval = 500 * time.Millisecond // while the device moves
	statusInterval = 5 * time.Second        // while it does not
)

const errMountStopped = refusal("The slew was stopped before the mount reached its target.")

// mount is a telescope mount that tracks the sky.
type mount struct {
	actor *actor.Actor
	clock clock
	slew  task

	// mu guards the following fields.
	mu    sync.Mutex
	state string     // parked, stopped, slewing, tracking
	sky   equatorial // while it tracks
	axes  horizontal // while it does not
}

// parkPosition is where the mount is parked.
var parkPosition = horizontal{alt: 30, az: 180}

var mountModel = model{
	"state":            text("What the mount is doing").oneOf("parked", "stopped", "slewing", "tracking"),
	"ra_deg":           number("deg", "Right ascension").between(0, 360),
	"dec_deg":          number("deg", "Declination").between(-90, 90),
	"alt_deg":          number("deg", "Altitude above the horizon").between(-90, 90),
	"az_deg":           number("deg", "Azimuth, from north through east").between(0, 360),
	"airmass":          number("", "Air mass, which is 1 at the zenith"),
	"target_ra_deg":    number("deg", "Right ascension of the slew's target").between(0, 360),
	"target_dec_deg":   number("deg", "Declination of the slew's target").between(-90, 90),
	"progress_percent": number("%", "Share of the slew that is done").between(0, 100),
}

func newMount(cfg Config, clock clock) (device, error) {
	m := &mount{clock: clock, state: "parked", axes: parkPosition}
	var err error
	if m.actor, err = newActor(cfg, "mount", mountModel, nil); err != nil {
		return device{}, err
	}
	m.actor.Handle("slew RA:float(0..<360) DEC:float(-90..90)", "Slews to a position in the sky, and tracks.\n\nRA   Right ascension. [deg]\nDEC  Declination. [deg]", m.slewTo)
	m.actor.Handle("track", "Tracks the sky from where the mount points.", m.track)
	m.actor.Handle("stop", "Stops at once, slewing or tracking.", m.stop)
	m.actor.Handle("park", "Slews to the park position and stays there.", m.park)
	m.actor.Handle("status", "Reports position and state.", m.status)
	return device{actor: m.actor, broadcast: m.broadcast}, nil
}

func (m *mount) broadcast(ctx context.Context) {
	m.clock.every(ctx, statusInterval, func() { m.actor.Broadcast(actor.Info, m.keywords()) })
}

// position returns the state, and where the mount points now in both coordinate systems.
func (m *mount) position() (string, equatorial, horizontal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.now()
	if m.state == "tracking" {
		return m.state, m.sky, m.sky.horizontal(now)
	}
	return m.state, m.axes.equatorial(now), m.axes
}

func (m *mount) keywords() actor.Keywords {
	state, sky, axes := m.position()
	return actor.Keywords{
		"state":   state,
		"ra_deg":  round(sky.ra, 5),
		"dec_deg": round(sky.dec, 5),
		"alt_deg": round(axes.alt, 4),
		"az_deg":  round(axes.az, 4),
		"airmass": round(axes.airmass(), 3),
	}
}

// setAxes sets the state and direction of a mount that does not track.
func (m *mount) setAxes(state string, axes horizontal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state, m.axes = state, axes
}

// setTracking makes the mount track a position in the sky.
func (m *mount) setTracking(sky equatorial) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state, m.sky = "tracking", sky
}

func (m *mount) slewTo(ctx context.Context, c *actor.Call) error {
	ra, err := c.Float("RA")
	if err != nil {
		return err
	}
	dec, err := c.Float("DEC")
	if err != nil {
		return err
	}
	target := equatorial{ra, dec}
	if alt := target.horizontal(m.clock.now()).alt; alt < lowestAlt {
		return refusef("The target is below the horizon limit: its altitude is %.1f degrees, the limit is %g.", alt, lowestAlt)
	}
	where := func() horizontal { return target.horizontal(m.clock.now()) }
	arrive := func() { m.setTracking(target) }
	if err := m.move(ctx, c, where, arrive, actor.Keywords{"target_ra_deg": ra, "target_dec_deg": dec}); err != nil {
		return err
	}
	c.Finish(m.keywords())
	return nil
}

func (m *mount) park(ctx context.Context, c *actor.Call) error {
	where := func() horizontal { return parkPosition }
	arrive := func() { m.setAxes("parked", parkPosition) }
	if err := m.move(ctx, c, where, arrive, nil); err != nil {
		return err
	}
	c.Finish(m.keywords())
	return nil
}

// move slews to a target, which may move with the sky, and reports its progress. No
// other command can move the mount before arrive has returned.
func (m *mount) move(ctx context.Context, c *actor.Call, target func() horizontal, arrive func(), about actor.Keywords) error {
	ctx, end, ok := m.slew.begin(ctx)
	if !ok {
		return refusef("The mount is slewing already; stop it first, or wait.")
	}
	defer end()
	_, _, from := m.position()
	m.setAxes("slewing", from)
	began := m.clock.now()
	takes := settleTime + time.Duration(from.distance(target())/slewRate*float64(time.Second))
	for {
		share := min(1, float64(m.clock.now().Sub(began))/float64(takes))
		m.setAxes("slewing", from.between(target(), share))
		if share == 1 {
			arrive()
			return nil
		}
		k := m.keywords()
		k["progress_percent"] = round(100*share, 1)
		for name, value := range about {
			k[name] = value
		}
		c.Info(k)
		left := takes - m.clock.now().Sub(began)
		if err := m.clock.wait(ctx, min(reportInterval, left)); err != nil {
			_, _, axes := m.position()
			m.setAxes("stopped", axes)
			return err
		}
	}
}

func (m *mount) track(_ context.Context, c *actor.Call) error {
	state, sky, axes := m.position()
	switch {
	case state == "slewing":
		return refusef("The mount is slewing; it tracks when it arrives.")
	case state == "parked":
		return refusef("The mount is parked; slew it to a target.")
	case axes.alt < lowestAlt:
		return refusef("The mount points below the horizon limit of %g degrees.", lowestAlt)
	}
	m.setTracking(sky)
	c.Finish(m.keywords())
	return nil
}

func (m *mount) stop(_ context.Context, c *actor.Call) error {
	m.slew.stop(errMountStopped)
	if state, _, axes := m.position(); state == "tracking" {
		m.setAxes("stopped", axes)
	}
	c.Finish(m.keywords())
	return nil
}

func (m *mount) status(_ context.Context, c *actor.Call) error {
	c.Finish(m.keywords())
	return nil
}
