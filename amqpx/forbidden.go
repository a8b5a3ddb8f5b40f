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

// deniedFor is how long it is taken to be so, and recheckEvery after how many checks
// of the bindings the broker is asked whether it is still so. It is asked first after
// askAgainFirst: one that has just come up may not know its users' permissions yet.
const (
	deniedFor    = 90 * time.Second
	recheckEvery = 60
	recheckFirst = 5
)

// denial is why nothing is sent, until a moment.
type denial struct {
	reason error
	until  time.Time
}

// noteDenied takes what the broker answered to a tie, or why a link broke.
func (l *Link) noteDenied(answer error) {
	r, ok := readRefusal(answer)
	if !ok {
		return
	}
	until := time.Now().Add(deniedFor)
	if r.permission == "" {
		r.permission = "write" // what the tie needs of this exchange, and a message
	}
	reason := fmt.Errorf("%s; grant it: %s", r.missing(l.cfg.Exchange), r.reason)
	switch {
	case r.kind == "topic" && r.exchange == l.cfg.Exchange:
		l.denyKey(r.name, &denial{reason, until})
	case r.kind == "exchange" && r.name == l.cfg.Exchange && r.permission == "write":
		l.denied.Store(&denial{reason, until})
	}
}

// maxDeniedKeys bounds what is remembered: the keys are the commanders' choice.
const maxDeniedKeys = 1024

func (l *Link) denyKey(key string, d *denial) {
	old := l.deniedKeys.Load()
	keys := map[string]*denial{key: d}
	if old != nil && len(*old) < maxDeniedKeys {
		for k, d := range *old {
			if _, again := keys[k]; !again && d.active() {
				keys[k] = d
			}
		}
	}
	l.deniedKeys.Store(&keys)
}

func (d *denial) active() bool { return d != nil && time.Now().Before(d.until) }

// checkWrite is an error while nothing may be sent.
func (l *Link) checkWrite() error {
	if d := l.denied.Load(); d.active() {
		return d.reason
	}
	return nil
}

// checkKey is an error while nothing with the routing key may be sent.
func (l *Link) checkKey(key string) error {
	if keys := l.deniedKeys.Load(); keys != nil {
		if d := (*keys)[key]; d.active() {
			return d.reason
		}
	}
	return nil
}

// recheckWrite asks, by a tie, whether it is still forbidden to write.
func (s *session) recheckWrite(cs *consumerState) {
	if s.link.checkWrite() == nil || !cs.noSentinel {
		return
	}
	// Until the answer is here it stays forbidden.
	_, err := s.makeSentinel(cs)
	if err == nil {
		s.link.denied.Store(nil)
	}
	s.link.noteDenied(err)
	dies := cs.queue.Expires == 0 && cs.queue.Stream == nil
	_ = s.removeSentinel(cs, !dies) // an error means that the connection is closed
}
