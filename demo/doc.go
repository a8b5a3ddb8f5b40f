// Package demo is a small observatory that does not exist: four simulated actors
// on a broker, so that a page, a client or a test has something to talk to.
//
//	mount    points at the sky: slew, track, stop, park, status
//	dome     opens, closes, rotates, and closes by itself in bad weather
//	camera   exposes, reads out, numbers its images, can be aborted
//	weather  tells the weather once a second; simulate storm or clear
//
// Each is written with [actor.Actor] as a real one would be, in a file of its
// own. They meet only on the exchange: the dome knows the weather because it
// hears the weather actor's broadcasts.
//
// A device is a struct whose lock guards what it is doing. Handlers change it,
// and its live function tells the world about it until the context ends.
package demo
