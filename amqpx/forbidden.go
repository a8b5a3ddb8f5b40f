package amqpx

import (
	"fmt"
	"time"
)

// A broker that does not let the user write to the exchange closes the channel over
// the first message, under all that is in flight. A bridge that may only listen would
// lose its link over each command. So nothing is sent while that is known: from the
// tie, which needs the same permission, or from a link that broke. It does the same over
// a routing key that the user may not write (RabbitMQ's topic permissions): then
// only that one is not sent.

// forbiddenFor is how long it is taken to be so, and askAgainEvery after how many checks
// of the bindings the broker is asked whether it is still so. It is asked first after
// askAgainFirst: one that has just come up may not know its users' permissions yet.
const (
	forbiddenFor  = 90 * time.Second
	askAgainEvery = 60
	askAgainFirst = 5
)

// forbidden is why nothing is sent, until a moment.
type forbidden struct {
	reason error
	until  time.Time
}

// noteForbidden takes what the broker answered to a tie, or why a link broke.
func (l *Link) noteForbidden(answer error) {
	r, ok := readRefusal(answer)
	if !ok {
		return
	}
	until := time.Now().Add(forbiddenFor)
	reason := fmt.Errorf("%s; grant it: %s", r.missing(l.cfg.Exchange), r.reason)
	switch {
	case r.kind == "topic" && r.exchange == l.cfg.Exchange:
		l.forbidKey(r.name, &forbidden{reason, until})
	case r.kind == "exchange" && r.name == l.cfg.Exchange && (r.permission == "" || r.permission == "write"):
		l.forbidden.Store(&forbidden{reason, until})
	}
}

// mostForbiddenKeys bounds what is remembered: the keys are the commanders' choice.
const mostForbiddenKeys = 1024

func (l *Link) forbidKey(key string, f *forbidden) {
	old := l.forbiddenKeys.Load()
	keys := map[string]*forbidden{key: f}
	if old != nil && len(*old) < mostForbiddenKeys {
		for k, f := range *old {
			if _, again := keys[k]; !again && f.holds() {
				keys[k] = f
			}
		}
	}
	l.forbiddenKeys.Store(&keys)
}

func (f *forbidden) holds() bool { return f != nil && time.Now().Before(f.until) }

// checkAllowed is an error while nothing may be sent.
func (l *Link) checkAllowed() error {
	if f := l.forbidden.Load(); f.holds() {
		return f.reason
	}
	return nil
}

// checkKey is an error while nothing with the routing key may be sent.
func (l *Link) checkKey(key string) error {
	if keys := l.forbiddenKeys.Load(); keys != nil {
		if f := (*keys)[key]; f.holds() {
			return f.reason
		}
	}
	return nil
}

// askAgain asks, by a tie, whether it is still forbidden to write.
func (s *session) askAgain(in *intake) {
	if s.link.checkAllowed() == nil || !in.untieable {
		return
	}
	// Until the answer is here it stays forbidden.
	_, err := s.makeTie(in)
	if err == nil {
		s.link.forbidden.Store(nil)
	}
	s.link.noteForbidden(err)
	dies := in.queue.Expires == 0 && in.queue.Stream == nil
	_ = s.removeTie(in, !dies) // an error means that the connection is closed
}
