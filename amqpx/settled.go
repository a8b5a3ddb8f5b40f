package amqpx

import "time"

// unsettledMost is how many connections in a row may break within settledAfter of
// standing before the link counts as down until one has held for that long. It carries
// messages meanwhile, but a state that is up for milliseconds at a time, again and
// again, would say nothing.
const unsettledMost = 3

// unsettledError is why a link is down that breaks as soon as it stands.
type unsettledError struct{ err error }

func (e *unsettledError) Error() string {
	return "the link breaks as soon as it stands: " + e.err.Error()
}
func (e *unsettledError) Unwrap() error { return e.err }

// announce says that the link is up: at once, or if the last ones broke early, once it has
// held.
func (s *session) announce(done <-chan struct{}) {
	if s.link.unsettled < unsettledMost {
		s.link.up(s.url)
		return
	}
	s.tasks.Go(func() {
		settled := time.NewTimer(settledAfter)
		defer settled.Stop()
		select {
		case <-done:
		case <-settled.C:
			s.link.up(s.url)
		}
	})
}

// noteHeld takes how long a connection stood.
func (l *Link) noteHeld(d time.Duration) {
	if d > settledAfter {
		l.unsettled = 0
	} else {
		l.unsettled++
	}
}

// unsettledFor wraps the reason of the last break if the ones before came early, too.
func (l *Link) unsettledFor(err error) error {
	if l.unsettled < unsettledMost {
		return err
	}
	return &unsettledError{err}
}
