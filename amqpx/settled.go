package amqpx

import "time"

// maxFlaps is how many connections in a row may break within settledAfter of
// standing before the link counts as down until one has held for that long. It carries
// messages meanwhile, but a state that is up for milliseconds at a time, again and
// again, would say nothing.
const maxFlaps = 3

// flappingError is why a link is down that breaks as soon as it stands.
type flappingError struct{ err error }

func (e *flappingError) Error() string {
	return "the link breaks as soon as it stands: " + e.err.Error()
}
func (e *flappingError) Unwrap() error { return e.err }

// announce says that the link is up: at once, or if the last ones broke early, once it has
// held.
func (s *session) announce(done <-chan struct{}) {
	if s.link.flaps < maxFlaps {
		s.link.up(s.url)
		return
	}
	s.tasks.Go(func() {
		settled := time.NewTimer(stableAfter)
		defer settled.Stop()
		select {
		case <-done:
		case <-settled.C:
			s.link.up(s.url)
		}
	})
}

// noteUptime takes how long a connection stood.
func (l *Link) noteUptime(d time.Duration) {
	if d > stableAfter {
		l.flaps = 0
	} else {
		l.flaps++
	}
}

// wrapFlapping wraps the reason of the last break if the ones before came early, too.
func (l *Link) wrapFlapping(err error) error {
	if l.flaps < maxFlaps {
		return err
	}
	return &flappingError{err}
}
