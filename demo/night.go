package demo

import (
	"context"
	"math"
	"time"
)

// A night passes in less than six minutes: it is nightSpeed times as fast as the observatory, in
// which an exposure of ten seconds takes ten. It begins at dusk, and after dawn comes the next dusk.
const (
	nightSpeed  = 100
	nightLength = 9*time.Hour + 30*time.Minute
)

// dusk is when a night begins. Times are in UTC; on the site's longitude the sun sets then.
var dusk = time.Date(2026, 11, 28, 23, 30, 0, 0, time.UTC)

// The events of a night, as times since dusk. Ten seconds of the night are a tenth of a second: so an
// event is never at the same moment as a broadcast, and two nights with the same seed are the same.
const (
	lessTen       = -10 * time.Second
	windRises     = 40*time.Minute + lessTen               // 00:10
	stormBreaks   = 70*time.Minute + lessTen               // 00:40
	coolerFails   = 74*time.Minute + lessTen               // 00:44
	stormEnds     = 2*time.Hour + 30*time.Minute + lessTen // 02:00
	observingEnds = 8*time.Hour + 30*time.Minute           // 08:00
)

// night is the course of the simulated nights.
type night struct{ clock clock }

// elapsed returns the time since dusk, and how many nights passed before.
func (n *night) elapsed() (since time.Duration, before int) {
	all := n.clock.now().Sub(n.clock.start) * nightSpeed
	return all % nightLength, int(all / nightLength)
}

// now returns the time of the night.
func (n *night) now() time.Time {
	since, before := n.elapsed()
	return dusk.AddDate(0, 0, before).Add(since)
}

// ends reports whether a night is too late for observing.
func (n *night) ends(number int) bool {
	since, before := n.elapsed()
	return before > number || since >= observingEnds
}

// until waits for a time since the dusk of a night, counted from 0. The error is the context's cause
// if that ends first.
func (n *night) until(ctx context.Context, number int, at time.Duration) error {
	since, before := n.elapsed()
	left := (time.Duration(number-before)*nightLength + at - since) / nightSpeed
	if left <= 0 {
		return context.Cause(ctx)
	}
	return n.clock.wait(ctx, left)
}

// sunAltitude returns the altitude of the sun in degrees. Its declination is that of late November,
// and the equation of time is left out.
func sunAltitude(t time.Time) float64 {
	const declination = -21.4
	hours := t.Sub(t.Truncate(24 * time.Hour)).Hours()
	alt, _ := rotate(radians((hours-12)*15+longitude), radians(declination))
	return degrees(alt)
}

// nature makes the weather of each night, and breaks the cryocooler, until the context ends.
func (n *night) nature(ctx context.Context, w *weather, c *cryostat) {
	for number := 0; ; number++ {
		for _, event := range []struct {
			at time.Duration
			do func()
		}{
			{0, func() { w.turn(clearSky) }},
			{windRises, func() { w.turn(windy) }},
			{stormBreaks, func() { w.become(storm) }},
			{coolerFails, func() { c.setCooling(false) }},
			{stormEnds, func() { w.turn(clearSky) }},
		} {
			if n.until(ctx, number, event.at) != nil {
				return
			}
			event.do()
		}
	}
}

// text returns the time of the night as the weather actor shows it.
func (n *night) text() string { return n.now().Format("15:04") }

// sun returns the altitude of the sun as the weather actor shows it.
func (n *night) sun() float64 { return math.Round(sunAltitude(n.now())*10) / 10 }
