package demo

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/actor"
)

const (
	cryostatTarget = 120.0 // kelvin
	// cryostatWarns and cryostatFails are when the actor warns, and when it gives up.
	cryostatWarns = 124.0
	cryostatFails = 130.0
	warmRate      = 1.0 // kelvin a second, without the cryocooler
	coolRate      = 0.25
	// firstFrame is beyond 2^53, as the frame ids of some detectors are.
	firstFrame = 5853498713190525696
)

// The bits of the status word.
const (
	statusCold   = 1 << 0
	statusCooler = 1 << 1
	statusLamp   = 1 << 4
	statusAlarm  = 1 << 8
)

var statusNames = []struct {
	bit  int
	name string
}{{statusCold, "CRYOSTAT_COLD"}, {statusCooler, "COOLER_ON"}, {statusLamp, "LAMP_ON"}, {statusAlarm, "ALARM"}}

// cryostat is the part of the spectrograph that outlives its actor.
type cryostat struct {
	// mu guards the following fields.
	mu          sync.Mutex
	random      *rand.Rand
	temperature float64
	cooling     bool
	lamp        bool
	frame       int64
	warned      bool
}

func newCryostat(seed uint64) *cryostat {
	return &cryostat{random: rand.New(rand.NewPCG(seed, 3)), temperature: cryostatTarget, cooling: true, frame: firstFrame}
}

// spectrograph is a spectrograph with a cooled detector. Its actor may end, and another one begin.
type spectrograph struct {
	*cryostat
	actor *actor.Actor
	clock clock
	fail  func() // ends the actor
}

var spectrographModel = model{
	"cryostat_temp_k":            number("K", "Temperature of the cold plate").between(80, 320),
	"cryostat_pressure_torr":     number("Torr", "Pressure in the cryostat"),
	"cooler_power_w":             number("W", "Power of the cryocooler").between(0, 240),
	"lamp_current_a":             number("A", "Current of the calibration lamp; NaN while it is off"),
	"spectrograph_status":        text("Status bits, as hex").matching("^0x[0-9a-f]+$"),
	"spectrograph_status_labels": text("Names of the status bits that are set, comma separated"),
	"frame_id":                   integer("Number of the last frame, of 63 bits"),
	"alert":                      text("An event that needs attention"),
}

// newSpectrograph returns the actor of a spectrograph. fail is called when it gives up; the actor
// must end then.
func newSpectrograph(cfg Config, clock clock, of *cryostat, fail func()) (device, error) {
	s := &spectrograph{cryostat: of, clock: clock, fail: fail}
	var err error
	if s.actor, err = newActor(cfg, "spectrograph", spectrographModel, nil); err != nil {
		return device{}, err
	}
	s.actor.Handle("lamp STATE:on|off", "Switches the calibration lamp.\n\nSTATE  What to do.", s.switchLamp)
	s.actor.Handle("cooler STATE:on|off", "Switches the cryocooler.\n\nSTATE  What to do.", s.switchCooler)
	s.actor.Handle("frame [--count N:int(1..20)=1]", "Reads frames from the detector.\n\n--count  How many.", s.takeFrames)
	s.actor.Handle("status", "Reports the cryostat and the lamp.", s.status)
	return device{actor: s.actor, broadcast: s.broadcast}, nil
}

// broadcast publishes the state of the cryostat, and gives up when it is too warm.
func (s *spectrograph) broadcast(ctx context.Context) {
	s.clock.every(ctx, weatherInterval, func() {
		switch temperature, warn := s.step(); {
		case temperature > cryostatFails:
			s.actor.Broadcast(actor.Critical, actor.Keywords{"error": fmt.Sprintf("The cryostat is at %.1f K; the spectrograph shuts down to protect the detector.", temperature)})
			s.fail()
			return
		case warn:
			s.actor.Broadcast(actor.Warning, actor.Keywords{"alert": fmt.Sprintf("The cryostat is warming: %.1f K.", temperature)})
		}
		s.actor.Broadcast(actor.Info, s.keywords())
	})
}

// step lets a second pass. It returns the temperature, and whether that has just become too high.
func (c *cryostat) step() (temperature float64, warn bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.cooling:
		c.temperature = min(c.temperature+warmRate, 290)
	case c.temperature > cryostatTarget+1:
		c.temperature -= coolRate
	default:
		c.temperature = cryostatTarget + 0.05*c.random.NormFloat64()
	}
	warm := c.temperature > cryostatWarns
	warn = warm && !c.warned
	c.warned = warm
	return c.temperature, warn
}

// setCooling switches the cryocooler. After a repair the cryostat is cold again.
func (c *cryostat) setCooling(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cooling = on
}

// repair makes the cryostat cold.
func (c *cryostat) repair() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cooling, c.temperature, c.warned = true, cryostatTarget+2, false
}

func (s *spectrograph) keywords() actor.Keywords {
	s.mu.Lock()
	defer s.mu.Unlock()
	current, power := math.NaN(), 0.0
	if s.lamp {
		current = round(1.2+0.01*s.random.NormFloat64(), 3)
	}
	if s.cooling {
		power = round(160+2*s.random.NormFloat64(), 1)
	}
	status, labels := s.statusWord()
	return actor.Keywords{
		"cryostat_temp_k":            round(s.temperature, 2),
		"cryostat_pressure_torr":     round(2e-6*math.Exp((s.temperature-cryostatTarget)/8), 9),
		"cooler_power_w":             power,
		"lamp_current_a":             current,
		"spectrograph_status":        status,
		"spectrograph_status_labels": labels,
		"frame_id":                   s.frame,
	}
}

// statusWord returns the status bits, and the names of those that are set. mu is held.
func (c *cryostat) statusWord() (word, labels string) {
	bits := 0
	for bit, set := range map[int]bool{statusCold: c.temperature < cryostatWarns, statusCooler: c.cooling, statusLamp: c.lamp, statusAlarm: c.warned} {
		if set {
			bits |= bit
		}
	}
	for _, s := range statusNames {
		if bits&s.bit == 0 {
			continue
		}
		if labels != "" {
			labels += ","
		}
		labels += s.name
	}
	return fmt.Sprintf("0x%04x", bits), labels
}

func (s *spectrograph) switchLamp(_ context.Context, c *actor.Call) error {
	state, _ := c.Arg("STATE")
	s.mu.Lock()
	s.lamp = state == "on"
	s.mu.Unlock()
	c.Finish(s.keywords())
	return nil
}

func (s *spectrograph) switchCooler(_ context.Context, c *actor.Call) error {
	state, _ := c.Arg("STATE")
	s.setCooling(state == "on")
	c.Finish(s.keywords())
	return nil
}

func (s *spectrograph) takeFrames(ctx context.Context, c *actor.Call) error {
	count, err := c.Int("--count")
	if err != nil {
		return err
	}
	for range count {
		if err := s.clock.wait(ctx, time.Second); err != nil {
			return err
		}
		s.mu.Lock()
		s.frame++
		frame := s.frame
		s.mu.Unlock()
		c.Info(actor.Keywords{"frame_id": frame})
	}
	c.Finish(s.keywords())
	return nil
}

func (s *spectrograph) status(_ context.Context, c *actor.Call) error {
	c.Finish(s.keywords())
	return nil
}
