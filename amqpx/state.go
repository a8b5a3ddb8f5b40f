package amqpx

import (
	"context"
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// State says whether the link can carry messages.
type State struct {
	// Up is true while both connections are open and every queue is bound.
	Up bool
	// Broker is the address of the broker, without credentials.
	Broker string
	// Blocked is the broker's reason for not reading publishes, or "".
	Blocked string
	// QueueDown is why the broker takes no messages into a queue, or "". Publishing may still
	// work.
	QueueDown string
	// Err is why the link is down: nil before the first attempt, [ErrClosed] after Run. It
	// wraps an [Error] if the cause is known.
	Err error
}

// ErrClosed is State.Err of a link whose Run has ended.
var ErrClosed = errors.New("the link was closed")

// State returns the current state.
func (l *Link) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Ready waits until the link can carry messages: it is up, and the broker reads publishes. It
// returns [ErrClosed] when Run has ended. When the context ends first, the error wraps the
// context's and says why the link is not ready.
func (l *Link) Ready(ctx context.Context) error {
	for {
		l.mu.Lock()
		s, changed := l.state, l.changed
		l.mu.Unlock()
		switch {
		case errors.Is(s.Err, ErrClosed):
			return ErrClosed
		case s.Up && s.Blocked == "":
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return notReady(ctx, s)
		}
	}
}

// notReady explains why a link with this state was not ready when the context ended.
func notReady(ctx context.Context, s State) error {
	switch {
	case s.Up:
		return fmt.Errorf("%w: the broker blocks publishers: %s", ctx.Err(), s.Blocked)
	case s.Err != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), s.Err)
	}
	return fmt.Errorf("%w: the link is being made", ctx.Err())
}

// change applies a change of state and announces it.
func (l *Link) change(apply func(*State)) {
	l.announcing.Lock()
	defer l.announcing.Unlock()
	l.mu.Lock()
	apply(&l.state)
	s := l.state
	close(l.changed)
	l.changed = make(chan struct{})
	l.mu.Unlock()
	if l.cfg.OnState != nil {
		l.cfg.OnState(s)
	}
}

// announceUp logs and announces that the link is up.
func (l *Link) announceUp(url string) {
	broker := Redact(url)
	where := []any{"broker", broker}
	if l.current.addresses > 1 {
		where = append(where, "address", l.current.host())
	}
	l.log.Info("linked to the broker", append(where, "exchange", l.cfg.Exchange, "name", l.cfg.Name)...)
	// Announcements that the broker has made meanwhile, such as blocking, stay.
	l.change(func(s *State) { s.Up, s.Broker, s.Err = true, broker, nil })
}

// setBlocked follows the broker's announcements of whether it reads publishes.
func (l *Link) setBlocked(b amqp.Blocking) {
	if b.Active {
		l.log.Warn("the broker blocks publishers; publishes are refused", "reason", b.Reason)
		l.outbox.refuse(Blocked)
	} else {
		l.log.Info("the broker reads publishers again")
		l.outbox.accept()
	}
	l.change(func(s *State) { s.Blocked = b.Reason })
}
