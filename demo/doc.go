// Package demo is a simulated observatory: four actors on a broker, for a page, a
// client or a test to use.
//
//	mount    points at the sky: slew, track, stop, park, status
//	dome     opens, closes, rotates, and closes automatically in bad weather
//	camera   exposes, reads out and numbers its images; an exposure can be aborted
//	weather  broadcasts the weather once a second; simulates storm or clear
//
// Each actor is written with [actor.Actor], as a real one would be, in a file of its
// own. They communicate over the exchange alone:
//
//	weather ──► broadcast is_safe ──► exchange ──► dome: closes if it is false
//	client  ──► command.<actor>   ──► exchange ──► handler ──► replies
//
// A device is a struct whose lock guards its state. Handlers change the state, and
// broadcast publishes it until the context ends.
package demo
