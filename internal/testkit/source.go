package testkit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// lastConfirms is how long a source that is stopped waits for the broker's confirms.
const lastConfirms = 15 * time.Second

// neverConfirms is how long after a reply its confirm may still come. RabbitMQ 3.10 forgets some: those of what comes while
// a stream's writer, begun when the broker starts, is replaced by another one. It confirms what comes later.
const neverConfirms = time.Minute

// Source publishes numbered replies at a steady rate, through every outage of the broker, and records the outcome of
// each. Their bodies are {"n": 0}, {"n": 1} and so on.
type Source struct {
	url     string
	message func(n int) amqp.Publishing
	ended   sync.WaitGroup
	cancel  context.CancelFunc

	// mu guards the following fields.
	mu       sync.Mutex
	outcomes []Outcome
	open     map[int]bool // replies on the present channel without an outcome
	paused   bool
}

// Outcome is what happened to a reply.
type Outcome struct {
	Sent     time.Time
	Settled  time.Time // when the broker confirmed or returned it
	Accepted bool      // it was confirmed and routed to a queue
	Returned bool      // no queue was bound for it
}

// StartSource publishes to CLU's exchange until the test ends or it is stopped.
func StartSource(t testing.TB, url string, perSecond int) *Source {
	t.Helper()
	return StartSourceOf(t, url, perSecond, func(n int) amqp.Publishing { return numbered(n, fmt.Sprintf(`{"n": %d}`, n)) })
}

// StartSourceOf is StartSource with messages of the test's own. Their ids are set to their numbers.
func StartSourceOf(t testing.TB, url string, perSecond int, message func(n int) amqp.Publishing) *Source {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &Source{url: url, message: message, cancel: cancel}
	s.ended.Go(func() {
		for ctx.Err() == nil {
			// On an error it connects again: the broker went away.
			_ = s.publish(ctx, time.Second/time.Duration(perSecond))
		}
	})
	t.Cleanup(s.Stop)
	return s
}

// Stop stops publishing, and returns when the last reply has its outcome.
func (s *Source) Stop() {
	s.cancel()
	s.ended.Wait()
}

// publish publishes until the connection breaks or the context ends, and then waits for the last confirms.
func (s *Source) publish(ctx context.Context, every time.Duration) error {
	conn, err := amqp.DialConfig(s.url, amqp.Config{Heartbeat: time.Minute, Dial: amqp.DefaultDial(10 * time.Second)})
	if err != nil {
		PauseBeforeRetry(ctx)
		return err
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := ch.ExchangeDeclare(cluExchange, "topic", false, true, false, false, nil); err != nil {
		return err
	}
	if err := ch.Confirm(false); err != nil {
		return err
	}
	const room = 1 << 16
	returns := ch.NotifyReturn(make(chan amqp.Return, room))
	s.begin()
	var settling sync.WaitGroup
	defer settling.Wait()
	defer ch.Close() // which ends all that settle
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.awaitConfirms(ch)
		case <-tick.C:
		}
		n := s.next()
		if ch.IsClosed() {
			return amqp.ErrClosed // nothing else notices it while the source is paused
		}
		if n < 0 {
			continue
		}
		m := s.message(n)
		m.MessageId = strconv.Itoa(n)
		confirm, err := ch.PublishWithDeferredConfirm(cluExchange, "reply.broadcast", true, false, m)
		if err != nil {
			return err
		}
		settling.Go(func() { s.settle(n, confirm, returns) })
	}
}

// begin takes note of a new channel. No confirm of an earlier one comes.
func (s *Source) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = map[int]bool{}
}

// next records that a reply is sent now, and returns its number; negative while the source is paused.
func (s *Source) next() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paused {
		return -1
	}
	s.open[len(s.outcomes)] = true
	s.outcomes = append(s.outcomes, Outcome{Sent: time.Now()})
	return len(s.outcomes) - 1
}

// Pause makes the source say nothing, or go on.
func (s *Source) Pause(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = on
}

// Unsettled describes the replies whose outcome is to come, "" if that of each is known, or never will be.
func (s *Source) Unsettled() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	first, n := len(s.outcomes), 0
	for i := range s.open {
		if time.Since(s.outcomes[i].Sent) < neverConfirms {
			first, n = min(first, i), n+1
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("the broker has not answered %d of %d replies, the first is %d, sent at %v", n, len(s.outcomes), first, s.outcomes[first].Sent)
}

// Sent returns how many replies were sent, whose numbers are those below it.
func (s *Source) Sent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.outcomes)
}

// Outcome returns what happened to a reply so far.
func (s *Source) Outcome(n int) Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outcomes[n]
}

// settle records the broker's answer to a reply. A return comes before its confirm.
func (s *Source) settle(n int, confirm *amqp.DeferredConfirmation, returns <-chan amqp.Return) {
	accepted := confirm.Wait() // false, too, if the channel ended
	s.mu.Lock()
	defer s.mu.Unlock()
	for more := true; more; {
		select {
		case r, ok := <-returns:
			if more = ok; ok {
				of, _ := strconv.Atoi(r.MessageId)
				s.outcomes[of].Returned, s.outcomes[of].Settled = true, time.Now()
			}
		default:
			more = false
		}
	}
	if o := &s.outcomes[n]; accepted {
		o.Accepted, o.Settled = !o.Returned, time.Now()
	}
	delete(s.open, n)
}

// awaitConfirms returns when each reply has its outcome, or the channel ends.
func (s *Source) awaitConfirms(ch *amqp.Channel) error {
	err := poll(lastConfirms, nil, func() error {
		if rest := s.Unsettled(); rest != "" && !ch.IsClosed() {
			return errors.New(rest)
		}
		return nil
	})
	if err == nil {
		return nil
	}
	return ch.Close()
}

// Outcomes returns what happened to each reply so far, by number.
func (s *Source) Outcomes() []Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Outcome(nil), s.outcomes...)
}

// AcceptedFrom returns how many replies with this number and later ones the broker has accepted and routed to a queue.
func (s *Source) AcceptedFrom(first int) (count int) {
	for _, o := range s.Outcomes()[first:] {
		if o.Accepted {
			count++
		}
	}
	return count
}

// SettledFrom returns how many replies with this number and later ones the broker has confirmed or returned.
func (s *Source) SettledFrom(first int) (count int) {
	for _, o := range s.Outcomes()[first:] {
		if !o.Settled.IsZero() {
			count++
		}
	}
	return count
}

// Accepted returns the numbers of the replies that the broker has accepted and routed to a queue.
func (s *Source) Accepted() (all []int) {
	for n, f := range s.Outcomes() {
		if f.Accepted {
			all = append(all, n)
		}
	}
	return all
}
