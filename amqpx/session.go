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

// session is one life of the link: from two fresh connections to the first failure of either.
type session struct {
	link       *Link
	url        string
	consuming  *connection
	publishing *connection
	channel    *amqp.Channel    // of the publishes
	publisher  *publisher       // writes to it
	confirms   *confirms        // of what was written
	markers    *amqp.Channel    // for the link's markers to queues that outlive it; nil if there are none
	returned   chan amqp.Return // markers that came back

	markersClosed chan *amqp.Error // why markers was closed
	noMarker      error            // the error read from it; used by the goroutine that connects

	asker             queueAsker
	consumers         []*consumer
	deadLetterReaders []*deadLetterReader
	consumingClosed   <-chan *amqp.Error // how the consuming connection ended
	serving           bool               // the consumers run; used by the goroutine of Run
	returns           chan amqp.Return
	blocking          chan amqp.Blocking
	broken            chan struct{} // closed at the first failure
	tasks             sync.WaitGroup

	closing  bool         // the link is stopping; used by the goroutine of Run
	consumed time.Time    // when the last consumer began; used by the goroutine of Run
	began    time.Time    // the origin of the following field
	verified atomic.Int64 // when the bindings were last found to exist, in nanoseconds
	answered atomic.Int64 // when the last request that the broker has answered was made, in nanoseconds
	failed   atomic.Bool  // the broker failed over what it delivers
	active   atomic.Bool  // the broker has sent more than a heartbeat, on either connection

	// mu guards the following field.
	mu     sync.Mutex
	reason error // the failure that ends the session
}

// connect opens both connections and declares the topology. On an error, or when the context ends,
// nothing is left open.
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
	s.noteRemovals()
	if !fromBroker(err) && fromBroker(s.reason) {
		err = s.reason // a request made after the end does not say why it ended
	}
	return nil, err
}

func (s *session) open(ctx context.Context) (err error) {
	if s.consuming, err = s.link.dial(ctx, s.url, "consumer", &s.active); err != nil {
		return err
	}
	s.watch(s.consuming, s.consuming.NotifyClose(make(chan *amqp.Error, 1)), "the consuming connection")
	s.consumingClosed = s.consuming.NotifyClose(make(chan *amqp.Error, 1))
	// Markers check for queues that outlive the link, and mark the gaps of a stream. Otherwise the
	// queues come first: messages published before they are bound are lost.
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

// openPublisher opens the confirming channel. Its notification channels hold at least
// MaxInFlight: the library stalls, and then drops notifications, when they are full.
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

// watch ends the session when the notification comes. The library closes the channel if there
// will be none.
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

// fail ends the session. The reason is what the broker said, else the first failure.
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

// serve carries messages until the session breaks or the context ends. Afterwards every goroutine
// of the session has ended, and every publish has its outcome.
func (s *session) serve(ctx context.Context) error {
	s.link.outbox.open()
	done := make(chan struct{})
	// Whoever is told of the link may ask about queues at once.
	s.link.serving.Store(s)
	// Announce this first: the broker's next announcement, such as blocking, changes the
	// announced state.
	s.announce(done)
	s.serving = true
	s.startWatermarks(done)
	s.handOver()
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
	s.link.serving.Store(nil)
	s.link.outbox.refuse(Disconnected)
	close(done)
	s.close()
	s.takeBack()
	s.link.outbox.setSendNow(nil)
	s.publisher.end()
	s.confirms.end()
	s.link.outbox.disconnect()
	s.noteBindingsLost()
	s.noteClaims()
	s.notePoison()
	return s.reason
}

// drain waits until every accepted publish has its outcome, which takes at most the publish
// timeout.
func (s *session) drain() {
	select {
	case <-s.link.outbox.close():
	case <-s.broken:
	}
}

// send publishes the messages of the outbox, in order, as far as MaxInFlight allows.
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
				return fmt.Errorf("checking a queue: %w", s.consuming.socket.cause(err))
			case s.consuming.IsClosed():
				return nil // the watcher of the connection reports why
			}
			// Only the channel was closed: the next check opens a new one.
			continue
		}
		select {
		case <-done:
			return nil
		case <-box.wake:
		}
	}
}

// tryPublish sends a message on the publishing goroutine if that does not block.
func (s *session) tryPublish() (done bool) {
	done, err := s.publisher.tryPublish()
	if err != nil {
		s.failPublishing(err)
	}
	return done
}

func (s *session) failPublishing(err error) {
	if !errors.Is(err, amqp.ErrClosed) { // otherwise the watcher of the channel reports why
		s.fail(fmt.Errorf("publishing: %w", s.publishing.socket.cause(err)))
	}
}

// settle gives publishes their outcome. The broker sends a return before the confirm of the same
// message, and the library has passed it on by the time the confirm is read.
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

// close closes both connections at once, and waits for every goroutine of the session. It also
// cleans up after an open that failed half-way.
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

// A broker may never answer a request: RabbitMQ does not answer one to consume a quorum queue
// without a leader. It keeps sending heartbeats, and the library waits for the answer without a
// limit. So while a session is being opened, the broker must send something else from time to
// time.

// requestTimeout is how long a request may take while a session is being opened. Dialling has
// its own, shorter limits.
const requestTimeout = 25 * time.Second

var errRequestTimeout = errors.New("a request was not answered")

// watchRequests gives up when the broker has sent nothing for requestTimeout, or a fifth longer.
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
