package amqpx

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// session is one life of the link: from two fresh connections to the first
// thing that goes wrong with either.
type session struct {
	link       *Link
	url        string
	consuming  *connection
	publishing *connection
	channel    *amqp.Channel    // the publishing one
	publisher  *publisher       // writes on it
	confirms   *confirms        // of what was written
	markers    *amqp.Channel    // into what outlives the link; nil if nothing does
	returned   chan amqp.Return // of the markers

	markersClosed chan *amqp.Error // tells why markers was closed
	noMarker      error            // what it told; of the goroutine that connects

	consumers         []*consumer
	deadLetterReaders []*deadLetterReader
	consumingClosed   <-chan *amqp.Error // how the consuming connection ended
	serving           bool               // the consumers run; of the goroutine that connects and serves
	returns           chan amqp.Return
	blocking          chan amqp.Blocking
	broken            chan struct{} // closed with the first reason to end
	tasks             sync.WaitGroup

	closing  bool         // in order; of the goroutine that serves
	consumed time.Time    // when the last consumer began; of the goroutine that connects
	began    time.Time    // the origin of the following field
	verified atomic.Int64 // when the bindings were last found to stand, in nanoseconds
	answered atomic.Int64 // when the last question that the broker has answered was asked, in nanoseconds
	failed   atomic.Bool  // the broker failed over what it delivers
	active   atomic.Bool  // the broker has said something, on either connection

	// mu guards the following field.
	mu     sync.Mutex
	reason error // why the session is broken
}

// connect opens both connections and declares the topology. On an error, or
// when the context ends, nothing is left open.
func (l *Link) connect(ctx context.Context, url string) (*session, error) {
	s := &session{link: l, url: url, began: time.Now(), broken: make(chan struct{})}
	answering, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	open := make(chan struct{})
	s.tasks.Go(func() { s.watchRequests(open, cancel) })
	err := s.open(answering)
	close(open)
	if err == nil {
		s.consuming.socket.detach()
		s.publishing.socket.detach()
		return s, nil
	}
	s.close()
	if errors.Is(context.Cause(answering), errRequestTimeout) {
		err = errRequestTimeout
	}
	s.noteClaims()
	s.notePoison()
	if !fromBroker(err) && fromBroker(s.reason) {
		err = s.reason // a request that came after the end does not say why it ended
	}
	return nil, err
}

func (s *session) open(ctx context.Context) (err error) {
	if s.consuming, err = s.link.dial(ctx, s.url, "consumer", &s.active); err != nil {
		return err
	}
	s.watch(s.consuming, s.consuming.NotifyClose(make(chan *amqp.Error, 1)), "the consuming connection")
	s.consumingClosed = s.consuming.NotifyClose(make(chan *amqp.Error, 1))
	// What outlives the link is looked for, and a stream's gap is marked, by messages.
	// Without it the queues come first: what is sent before they are bound is lost.
	if s.link.keeps() {
		if err := s.openPublishing(ctx); err != nil {
			return err
		}
		if err := s.openMarkers(); err != nil {
			return s.publishing.socket.cause(err)
		}
	}
	if err := s.declare(ctx); err != nil {
		return s.consuming.socket.cause(err)
	}
	if s.publishing == nil {
		return s.openPublishing(ctx)
	}
	return nil
}

func (s *session) openPublishing(ctx context.Context) (err error) {
	if s.publishing, err = s.link.dial(ctx, s.url, "publisher", &s.active); err != nil {
		return err
	}
	s.watch(s.publishing, s.publishing.NotifyClose(make(chan *amqp.Error, 1)), "the publishing connection")
	if err := s.openPublisher(); err != nil {
		return s.publishing.socket.cause(err)
	}
	return nil
}

// openPublisher opens the confirming channel. Its notifications hold at least
// a window: the library stalls, and then drops, when nobody drains them.
func (s *session) openPublisher() (err error) {
	if s.channel, err = s.publishing.Channel(); err != nil {
		return err
	}
	s.watch(s.publishing, s.channel.NotifyClose(make(chan *amqp.Error, 1)), "the publishing channel")
	s.blocking = s.publishing.NotifyBlocked(make(chan amqp.Blocking, 8))
	s.returns = s.channel.NotifyReturn(make(chan amqp.Return, s.link.cfg.MaxInFlight))
	s.confirms = s.publishing.interceptor.takeConfirms(s.settle)
	if err := s.channel.Confirm(false); err != nil {
		return err
	}
	s.publisher = &publisher{
		outbox: s.link.outbox,
		frames: publishFrames{s.confirms.channel, s.publishing.Config.FrameSize, s.link.cfg.Exchange},
		conn:   s.publishing.interceptor.Conn,
		closed: s.channel.IsClosed,
	}
	s.publisher.socket, _ = s.publisher.conn.(*socket)
	return nil
}

// watch ends the session when the notification comes. The library closes the
// channel of notifications when it is done with it.
func (s *session) watch(on *connection, closed <-chan *amqp.Error, what string) {
	s.tasks.Go(func() {
		e, ok := <-closed
		if !ok || e == nil {
			s.fail(fmt.Errorf("%s was closed", what))
			return
		}
		if on == s.consuming && brokerFailed(e) {
			s.failed.Store(true)
		}
		s.fail(fmt.Errorf("%s was closed: %w", what, on.socket.cause(e)))
	})
}

// fail ends the session. What the broker said counts most, then what came first.
func (s *session) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason == nil {
		close(s.broken)
	}
	if s.reason == nil || fromBroker(err) && !fromBroker(s.reason) {
		s.reason = err
	}
}

// serve carries messages until the session breaks or the context ends, and
// leaves nothing behind: no goroutine, no publish without its outcome.
func (s *session) serve(ctx context.Context) error {
	s.link.outbox.open()
	done := make(chan struct{})
	// First of all: what the broker says next, of blocking say, comes on top of it.
	s.announce(done)
	s.serving = true
	s.startWatermarks(done)
	for _, c := range s.consumers {
		s.tasks.Go(func() {
			defer close(c.ended)
			if err := c.run(); err != nil {
				s.fail(err)
			}
		})
	}
	for _, r := range s.deadLetterReaders {
		s.tasks.Go(func() { r.run(done) })
	}
	s.reclaimNames(done)
	s.tasks.Go(s.followBlocking)
	s.tasks.Go(func() { s.checkBindings(done) })
	s.startProbing(done)
	if s.markers != nil {
		s.tasks.Go(s.dropReturned)
	}
	s.link.outbox.setSendNow(s.tryPublish)
	s.tasks.Go(func() {
		if err := s.send(done); err != nil {
			s.fail(err)
		}
	})

	select {
	case <-s.broken:
	case <-ctx.Done():
		s.drain()
		s.closing = true
	}
	s.link.outbox.refuse(Disconnected)
	close(done)
	s.close()
	s.link.outbox.setSendNow(nil)
	s.publisher.end()
	s.confirms.end()
	s.link.outbox.disconnect()
	s.noteBindingsLost()
	s.noteClaims()
	s.notePoison()
	return s.reason
}

// drain waits until what was accepted has its outcome. Each has one within the
// publish timeout.
func (s *session) drain() {
	select {
	case <-s.link.outbox.close():
	case <-s.broken:
	}
}

// send publishes what the outbox holds, in order, as the window allows.
func (s *session) send(done <-chan struct{}) error {
	box := s.link.outbox
	check := newQueueCheck(func() (*amqp.Channel, error) { return s.consuming.Channel() })
	for {
		if err := s.publisher.publishAll(); err != nil {
			s.failPublishing(err)
			return nil
		}
		if next := box.nextUnchecked(time.Now()); next != nil {
			check.unasked = s.consuming.closesOverRefusals()
			exists, err := check.any(next.msg.Needs)
			switch {
			case err == nil:
				box.checked(next, exists)
			case !errors.Is(err, amqp.ErrClosed):
				return fmt.Errorf("asking for a queue: %w", s.consuming.socket.cause(err))
			case s.consuming.IsClosed():
				return nil // who closed it says why
			}
			// Only the channel was closed: the next question has a new one.
			continue
		}
		select {
		case <-done:
			return nil
		case <-box.wake:
		}
	}
}

// tryPublish sends a message on the goroutine that publishes it, if that takes no waiting.
func (s *session) tryPublish() (done bool) {
	done, err := s.publisher.tryPublish()
	if err != nil {
		s.failPublishing(err)
	}
	return done
}

func (s *session) failPublishing(err error) {
	if !errors.Is(err, amqp.ErrClosed) { // else who closed it says why
		s.fail(fmt.Errorf("publishing: %w", s.publishing.socket.cause(err)))
	}
}

// settle gives publishes their outcome. The broker sends a return before the confirm of
// the same message, and the library has handed it over when the confirm is read.
func (s *session) settle(tag uint64, multiple, ack bool) {
	s.drainReturns()
	outcome := Refused
	if ack {
		outcome = Confirmed
	}
	if multiple {
		s.link.outbox.settleTo(tag, outcome)
	} else {
		s.link.outbox.settle(tag, outcome)
	}
}

func (s *session) drainReturns() {
	for {
		select {
		case r, ok := <-s.returns:
			if !ok {
				return
			}
			s.link.outbox.markReturned(r.MessageId)
		default:
			return
		}
	}
}

func (s *session) followBlocking() {
	for b := range s.blocking {
		s.link.setBlocked(b)
	}
}

// close says goodbye on both connections at once, and waits for every goroutine
// of the session. It also cleans up after an open that failed half-way.
func (s *session) close() {
	if s.publishing != nil {
		s.tasks.Go(s.publishing.close)
	}
	if s.consuming != nil {
		s.tasks.Go(func() {
			s.finish()
			s.consuming.close()
		})
	}
	s.tasks.Wait()
}

// A broker may leave a request unanswered for ever: RabbitMQ does so when a quorum queue is
// to be consumed that has no leader. Its heartbeats come all the while, and the library
// waits for the answer without a limit. So while a session is opened the broker must say
// something else from time to time.

// requestTimeout is how long a request may take while a session is opened. Dialling has
// limits of its own, which are shorter.
const requestTimeout = 25 * time.Second

var errRequestTimeout = errors.New("a request was not answered")

// watchRequests gives up when the broker has said nothing for answerWithin, or a fifth longer.
func (s *session) watchRequests(open <-chan struct{}, giveUp context.CancelCauseFunc) {
	const looks = 5
	tick := time.NewTicker(requestTimeout / looks)
	defer tick.Stop()
	for silent := 0; silent <= looks; silent++ {
		select {
		case <-open:
			return
		case <-tick.C:
		}
		if s.active.Swap(false) {
			silent = 0
		}
	}
	giveUp(errRequestTimeout)
}
