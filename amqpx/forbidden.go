package amqpx

import (
	"errors"
	"fmt"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A broker that does not let the user write to the exchange closes the channel over
// the first message, under all that is in flight. A bridge that may only listen would
// lose its link over each command. So nothing is sent while that is known: from the
// tie, which needs the same permission, or from a link that broke.

// forbiddenFor is how long it is taken to be so, and askAgainEvery after how many checks
// of the bindings the broker is asked whether it is still so.
const (
	forbiddenFor  = 90 * time.Second
	askAgainEvery = 60
)

// forbidden is why nothing is sent, until a moment.
type forbidden struct {
	reason error
	until  time.Time
}

// noteForbidden takes what the broker answered to a tie, or why a link broke.
func (l *Link) noteForbidden(answer error) {
	e, ok := errors.AsType[*amqp.Error](answer)
	if !ok || !e.Server || e.Code != amqp.AccessRefused || !strings.Contains(e.Reason, "'"+l.cfg.Exchange+"'") {
		return
	}
	reason := fmt.Errorf("the broker lets nobody write to the exchange %q as this user; grant it the permission: %s", l.cfg.Exchange, e.Reason)
	l.forbidden.Store(&forbidden{reason, time.Now().Add(forbiddenFor)})
}

// checkAllowed is an error while nothing may be sent.
func (l *Link) checkAllowed() error {
	if f := l.forbidden.Load(); f != nil && time.Now().Before(f.until) {
		return f.reason
	}
	return nil
}

// askAgain asks, by a tie, whether it is still forbidden to write.
func (s *session) askAgain(in *intake) {
	if s.link.checkAllowed() == nil || !in.untieable {
		return
	}
	s.link.forbidden.Store(nil)
	_, err := s.makeTie(in)
	s.link.noteForbidden(err)
	dies := in.queue.Expires == 0 && in.queue.Stream == nil
	_ = s.removeTie(in, !dies) // an error means that the connection is closed
}
