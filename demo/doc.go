// Package demo is a simulated observatory: five actors on a broker, for a page, a
// client or a test to use.
//
//	mount         points at the sky: slew, track, stop, park, status
//	dome          opens, closes, rotates, and closes automatically in bad weather
//	camera        exposes, reads out and numbers its images; an exposure can be aborted
//	weather       broadcasts the weather once a second; simulates storm or clear
//	spectrograph  cools its detector; ends when the cooler fails, and comes back
//
// Each actor is written with [actor.Actor], as a real one would be, in a file of its
// own. They communicate over the exchange alone:
//
//	weather ──► broadcast is_safe ──► exchange ──► dome: closes if it is false
//	client  ──► command.<actor>   ──► exchange ──► handler ──► replies
//
// If nights are to pass ([Config].Night), one takes less than six minutes (night.go):
//
//	23:30   0 s  dusk: the observer opens the dome, takes a flat, slews, takes images (observer.go)
//	00:40  42 s  a storm breaks: is_safe is false, the dome closes, the exposure is aborted
//	00:44  44 s  the cryocooler fails: the spectrograph warns, gives up, and is gone for 25 s
//	02:00  90 s  the sky clears, and the observer goes on
//	08:00 306 s  dawn: the dome is closed, the mount parked
//	09:00 342 s  the next dusk
//
// The observer sends commands as people do, and leaves an actor alone for the night once somebody
// else has sent it one.
//
// A device is a struct whose lock guards its state. Handlers change the state, and
// broadcast publishes it until the context ends.
package demo
