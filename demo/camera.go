package demo

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/actor"
)

const (
	longestExposure = 3600.0 // seconds
	readoutTime     = 2 * time.Second
	detectorTemp    = -110.0 // degrees Celsius
)

const errAborted = refusal("The exposure was aborted; there is no image.")

var imageTypes = []string{"light", "dark", "flat", "bias"}

// camera is a cooled camera that takes one image at a time.
type camera struct {
	actor    *actor.Actor
	clock    clock
	exposure task

	// mu guards the following fields.
	mu    sync.Mutex
	state string // idle, integrating, reading
	image int    // the number of the last image
}

var cameraModel = model{
	"camera_state":         text("idle, integrating or reading"),
	"ccd_temp_c":           number("detector temperature, degrees Celsius"),
	"image_number":         number("number of the image"),
	"image_type":           text("light, dark, flat or bias"),
	"filename":             text("the image's file"),
	"exposure_time_s":      number("exposure time, seconds"),
	"exposure_remaining_s": number("what is left of it, seconds"),
	"exposure_percent":     number("how much of it is done"),
	"readout_percent":      number("how much of the detector is read"),
}

func newCamera(cfg Config, clock clock) (device, error) {
	m := &camera{clock: clock, state: "idle"}
	var err error
	if m.actor, err = newActor(cfg, "camera", cameraModel, nil); err != nil {
		return device{}, err
	}
	m.actor.Handle("expose SECONDS [TYPE]", "Takes an image: light (if nothing is said), dark, flat or bias.", m.expose)
	m.actor.Handle("abort", "Ends the exposure without an image.", m.abort)
	m.actor.Handle("status", "Reports what the camera is doing.", m.status)
	return device{actor: m.actor, live: m.live}, nil
}

func (m *camera) live(ctx context.Context) {
	m.clock.every(ctx, statusEvery, func() { m.actor.Broadcast(actor.Info, m.keywords()) })
}

// temperature swings a little around what the cooler holds.
func (m *camera) temperature() float64 {
	seconds := float64(m.clock.now().UnixMilli()%600e3) / 1e3
	return round(detectorTemp+0.05*math.Sin(2*math.Pi*seconds/60), 2)
}

func (m *camera) keywords() actor.Keywords {
	m.mu.Lock()
	defer m.mu.Unlock()
	return actor.Keywords{"camera_state": m.state, "ccd_temp_c": m.temperature(), "image_number": m.image}
}

func (m *camera) set(state string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = state
}

// next is the number of a new image.
func (m *camera) next() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.image++
	return m.image
}

func (m *camera) expose(ctx context.Context, c *actor.Call) error {
	seconds, err := c.Float("SECONDS")
	if err != nil {
		return err
	}
	if seconds < 0 || seconds > longestExposure {
		return refuse("The exposure time is %g seconds; it must be from 0 to %g.", seconds, longestExposure)
	}
	kind, given := c.Arg("TYPE")
	if !given {
		kind = "light"
	}
	if !slices.Contains(imageTypes, kind) {
		return refuse("There is no image type %q; choose one of %s.", kind, strings.Join(imageTypes, ", "))
	}
	number, err := m.take(ctx, c, seconds, kind)
	if err != nil {
		return err
	}
	k := m.keywords()
	k["image_number"], k["image_type"], k["exposure_time_s"] = number, kind, seconds
	k["filename"] = fmt.Sprintf("demo-%08d.fits", number)
	c.Finish(k)
	return nil
}

// take takes an image and gives its number. When it returns, the camera is free.
func (m *camera) take(ctx context.Context, c *actor.Call, seconds float64, kind string) (int, error) {
	ctx, end, ok := m.exposure.begin(ctx)
	if !ok {
		return 0, refuse("The camera is taking an image already; wait for it, or abort it.")
	}
	defer end()
	defer m.set("idle")
	if err := m.integrate(ctx, c, seconds, kind); err != nil {
		return 0, err
	}
	if err := m.read(ctx, c); err != nil {
		return 0, err
	}
	return m.next(), nil
}

func (m *camera) integrate(ctx context.Context, c *actor.Call, seconds float64, kind string) error {
	m.set("integrating")
	c.Info(actor.Keywords{"camera_state": "integrating", "exposure_time_s": seconds, "image_type": kind})
	return m.progress(ctx, time.Duration(seconds*float64(time.Second)), func(share float64) {
		c.Info(actor.Keywords{
			"exposure_percent":     round(100*share, 1),
			"exposure_remaining_s": round(seconds*(1-share), 1),
		})
	})
}

func (m *camera) read(ctx context.Context, c *actor.Call) error {
	m.set("reading")
	c.Info(actor.Keywords{"camera_state": "reading"})
	return m.progress(ctx, readoutTime, func(share float64) {
		c.Debug(actor.Keywords{"readout_percent": round(100*share, 0)})
	})
}

// progress lets time pass and tells how much of it has.
func (m *camera) progress(ctx context.Context, takes time.Duration, tell func(share float64)) error {
	began := m.clock.now()
	for {
		left := takes - m.clock.now().Sub(began)
		if left <= 0 {
			tell(1)
			return nil
		}
		tell(1 - float64(left)/float64(takes))
		if err := m.clock.wait(ctx, min(tellEvery, left)); err != nil {
			return err
		}
	}
}

func (m *camera) abort(_ context.Context, c *actor.Call) error {
	if !m.exposure.stop(errAborted) {
		return refuse("The camera is idle; there is nothing to abort.")
	}
	c.Finish(m.keywords())
	return nil
}

func (m *camera) status(_ context.Context, c *actor.Call) error {
	c.Finish(m.keywords())
	return nil
}
