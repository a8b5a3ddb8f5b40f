package demo

import (
	"context"
	"fmt"
	"math"
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
	"camera_state":         text("What the camera is doing").oneOf("idle", "integrating", "reading"),
	"ccd_temp_c":           number("°C", "Temperature of the detector").between(-150, 40),
	"image_number":         integer("Number of the last image"),
	"image_type":           text("What the image is of").oneOf(imageTypes...),
	"filename":             text("The image's file"),
	"exposure_time_s":      number("s", "Exposure time").between(0, longestExposure),
	"exposure_remaining_s": number("s", "Remaining exposure time").between(0, longestExposure),
	"exposure_percent":     number("%", "Share of the exposure that is done").between(0, 100),
	"readout_percent":      number("%", "Share of the detector that is read out").between(0, 100),
}

func newCamera(cfg Config, clock clock) (device, error) {
	m := &camera{clock: clock, state: "idle"}
	var err error
	if m.actor, err = newActor(cfg, "camera", cameraModel, nil); err != nil {
		return device{}, err
	}
	m.actor.Handle("expose SECONDS:float(0..3600) [TYPE:light|dark|flat|bias=light]", "Takes an image.\n\nSECONDS  Exposure time. [s]\nTYPE     What the image is of.", m.expose)
	m.actor.Handle("abort", "Ends the exposure without an image.", m.abort)
	m.actor.Handle("status", "Reports what the camera is doing.", m.status)
	return device{actor: m.actor, broadcast: m.broadcast}, nil
}

func (m *camera) broadcast(ctx context.Context) {
	m.clock.every(ctx, statusInterval, func() { m.actor.Broadcast(actor.Info, m.keywords()) })
}

// temperature returns the detector temperature, which oscillates around the set point.
func (m *camera) temperature() float64 {
	seconds := float64(m.clock.now().UnixMilli()%600e3) / 1e3
	return round(detectorTemp+0.05*math.Sin(2*math.Pi*seconds/60), 2)
}

func (m *camera) keywords() actor.Keywords {
	m.mu.Lock()
	defer m.mu.Unlock()
	return actor.Keywords{"camera_state": m.state, "ccd_temp_c": m.temperature(), "image_number": m.image}
}

func (m *camera) setState(state string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = state
}

// nextNumber returns the number of a new image.
func (m *camera) nextNumber() int {
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
	kind, _ := c.Arg("TYPE")
	number, err := m.takeImage(ctx, c, seconds, kind)
	if err != nil {
		return err
	}
	k := m.keywords()
	k["image_number"], k["image_type"], k["exposure_time_s"] = number, kind, seconds
	k["filename"] = fmt.Sprintf("demo-%08d.fits", number)
	c.Finish(k)
	return nil
}

// takeImage takes an image and returns its number. When it returns, the camera is idle.
func (m *camera) takeImage(ctx context.Context, c *actor.Call, seconds float64, kind string) (int, error) {
	ctx, end, ok := m.exposure.begin(ctx)
	if !ok {
		return 0, refusef("The camera is taking an image already; wait for it, or abort it.")
	}
	defer end()
	defer m.setState("idle")
	if err := m.integrate(ctx, c, seconds, kind); err != nil {
		return 0, err
	}
	if err := m.read(ctx, c); err != nil {
		return 0, err
	}
	return m.nextNumber(), nil
}

func (m *camera) integrate(ctx context.Context, c *actor.Call, seconds float64, kind string) error {
	m.setState("integrating")
	c.Info(actor.Keywords{"camera_state": "integrating", "exposure_time_s": seconds, "image_type": kind})
	return m.progress(ctx, time.Duration(seconds*float64(time.Second)), func(share float64) {
		c.Info(actor.Keywords{
			"exposure_percent":     round(100*share, 1),
			"exposure_remaining_s": round(seconds*(1-share), 1),
		})
	})
}

func (m *camera) read(ctx context.Context, c *actor.Call) error {
	m.setState("reading")
	c.Info(actor.Keywords{"camera_state": "reading"})
	return m.progress(ctx, readoutTime, func(share float64) {
		c.Debug(actor.Keywords{"readout_percent": round(100*share, 0)})
	})
}

// progress waits for a time, and reports the share of it that has passed.
func (m *camera) progress(ctx context.Context, takes time.Duration, report func(share float64)) error {
	began := m.clock.now()
	for {
		left := takes - m.clock.now().Sub(began)
		if left <= 0 {
			report(1)
			return nil
		}
		report(1 - float64(left)/float64(takes))
		if err := m.clock.wait(ctx, min(reportInterval, left)); err != nil {
			return err
		}
	}
}

func (m *camera) abort(_ context.Context, c *actor.Call) error {
	if !m.exposure.stop(errAborted) {
		return refusef("The camera is idle; there is nothing to abort.")
	}
	c.Finish(m.keywords())
	return nil
}

func (m *camera) status(_ context.Context, c *actor.Call) error {
	c.Finish(m.keywords())
	return nil
}
