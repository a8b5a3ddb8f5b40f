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
	weatherInterval = time.Second
	humidityMax     = 85.0 // percent; above it is unsafe
	windMax         = 15.0 // metres a second; above it is unsafe
	gustSpeed       = 8.0  // metres a second; above it is a gust
	gustChance      = 1.0 / 60
)

// conditions are the weather at one moment.
type conditions struct {
	temperature, humidity, wind, direction, pressure float64
}

// The weather varies around one of these.
var (
	clearSky = conditions{temperature: 9, humidity: 30, wind: 4, direction: 20, pressure: 772}
	windy    = conditions{temperature: 6, humidity: 65, wind: 10, direction: 330, pressure: 766}
	storm    = conditions{temperature: 1, humidity: 97, wind: 24, direction: 300, pressure: 761}
)

func (c conditions) safe() bool { return c.humidity <= humidityMax && c.wind <= windMax }

// dewPoint returns the dew point in degrees Celsius (Magnus formula).
func (c conditions) dewPoint() float64 {
	g := math.Log(c.humidity/100) + 17.62*c.temperature/(243.12+c.temperature)
	return 243.12 * g / (17.62 - g)
}

// weather is a weather station.
type weather struct {
	actor *actor.Actor
	clock clock
	night *night // nil if no nights pass

	// mu guards the following fields.
	mu     sync.Mutex
	random *rand.Rand
	normal conditions // the weather varies around these
	now    conditions
	safe   bool // as last broadcast
	inGust bool // a gust was reported and is not over
}

var weatherModel = model{
	"temperature_c":      number("°C", "Air temperature").between(-40, 50),
	"humidity_percent":   number("%", "Relative humidity").between(0, 100),
	"dew_point_c":        number("°C", "Dew point").between(-60, 50),
	"wind_speed_ms":      number("m/s", "Wind speed").between(0, 80),
	"wind_direction_deg": number("deg", "Direction from which the wind comes, from north through east").between(0, 360),
	"pressure_hpa":       number("hPa", "Air pressure").between(500, 1100),
	"is_safe":            boolean("Whether a dome may be open"),
	"night_time":         text("Time of the simulated night, UTC").matching("^[0-2][0-9]:[0-5][0-9]$"),
	"sun_alt_deg":        number("deg", "Altitude of the sun in the simulated night").between(-90, 90),
	"alert":              text("An event that needs attention"),
}

func newWeather(cfg Config, clock clock) (device, *weather, error) {
	w := &weather{clock: clock, random: rand.New(rand.NewPCG(cfg.Seed, 1)), normal: clearSky, now: clearSky, safe: true}
	var err error
	if w.actor, err = newActor(cfg, "weather", weatherModel, nil); err != nil {
		return device{}, nil, err
	}
	w.actor.Handle("status", "Reports the weather.", w.status)
	w.actor.Handle("simulate WEATHER:storm|clear", "Changes the weather at once.\n\nWEATHER  What it becomes.", w.simulate)
	return device{actor: w.actor, broadcast: w.broadcast}, w, nil
}

func (w *weather) broadcast(ctx context.Context) {
	w.clock.every(ctx, weatherInterval, func() {
		w.drift()
		w.report()
	})
}

// drift changes the weather by one step of a random walk that returns to normal.
func (w *weather) drift() {
	w.mu.Lock()
	defer w.mu.Unlock()
	step := func(now *float64, normal, spread float64) {
		*now += (normal-*now)/20 + spread*w.random.NormFloat64()
	}
	step(&w.now.temperature, w.normal.temperature, 0.05)
	step(&w.now.humidity, w.normal.humidity, 0.3)
	step(&w.now.wind, w.normal.wind, 0.3)
	step(&w.now.direction, w.normal.direction, 2)
	step(&w.now.pressure, w.normal.pressure, 0.05)
	if w.random.Float64() < gustChance {
		w.now.wind += 4 + 3*w.random.Float64()
	}
	w.now.humidity = max(1, min(100, w.now.humidity))
	w.now.wind = max(0, w.now.wind)
}

// report broadcasts the weather, and an alert if it has changed.
func (w *weather) report() {
	now, was, gust := w.record()
	w.actor.Broadcast(actor.Info, w.keywords(now))
	switch {
	case was && !now.safe():
		w.alert(actor.Error, "The weather has become unsafe: humidity %.0f percent, wind %.1f m/s.", now.humidity, now.wind)
	case !was && now.safe():
		w.alert(actor.Info, "The weather is safe again.")
	case gust:
		w.alert(actor.Warning, "A gust of %.1f m/s.", now.wind)
	}
}

// record returns the weather that is to be broadcast, whether it was safe at the last
// broadcast, and whether a gust has begun.
func (w *weather) record() (now conditions, wasSafe, gust bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, wasSafe = w.now, w.safe
	w.safe = now.safe()
	gust = now.wind > gustSpeed && !w.inGust
	w.inGust = now.wind > gustSpeed || w.inGust && now.wind > gustSpeed-2
	return now, wasSafe, gust
}

func (w *weather) alert(code actor.Code, format string, args ...any) {
	w.actor.Broadcast(code, actor.Keywords{"alert": fmt.Sprintf(format, args...)})
}

// keywords returns the weather, and the time of the night if nights pass.
func (w *weather) keywords(c conditions) actor.Keywords {
	k := c.keywords()
	if w.night != nil {
		k["night_time"], k["sun_alt_deg"] = w.night.text(), w.night.sun()
	}
	return k
}

func (c conditions) keywords() actor.Keywords {
	return actor.Keywords{
		"temperature_c":      round(c.temperature, 2),
		"humidity_percent":   round(c.humidity, 1),
		"dew_point_c":        round(c.dewPoint(), 2),
		"wind_speed_ms":      round(c.wind, 1),
		"wind_direction_deg": round(normalizeAngle(c.direction), 0),
		"pressure_hpa":       round(c.pressure, 2),
		"is_safe":            c.safe(),
	}
}

func (w *weather) status(_ context.Context, c *actor.Call) error {
	w.mu.Lock()
	now := w.now
	w.mu.Unlock()
	c.Finish(w.keywords(now))
	return nil
}

// turn lets the weather change slowly.
func (w *weather) turn(normal conditions) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.normal = normal
}

// become changes the weather at once, and broadcasts it.
func (w *weather) become(normal conditions) {
	w.mu.Lock()
	w.normal, w.now = normal, normal
	w.mu.Unlock()
	w.report()
}

// simulate changes the weather at once, and broadcasts it before the command is done.
func (w *weather) simulate(_ context.Context, c *actor.Call) error {
	which, _ := c.Arg("WEATHER")
	normal := clearSky
	if which == "storm" {
		normal = storm
	}
	w.become(normal)
	c.Finish(w.keywords(normal))
	return nil
}
