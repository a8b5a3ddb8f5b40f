package amqpx

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A link holds its name with an exclusive queue, Queue.Name, which the broker refuses to a second
// link of the same name. The queue may still belong to a connection that is gone: one whose end the
// broker has not noticed (a firewall lost its state, the machine was suspended), or one to a
// cluster node that crashed. The broker takes up to two heartbeats to notice the first, and never
// notices the second. So a link whose own last connection is the likely holder immediately claims
// the name with a random suffix instead. It keeps asking for the name itself, so that a second link
// is refused again.

// nameClaim is how a link holds the name of one queue. It belongs to the goroutine of Run or,
// while a session serves under a substitute name, to that of reclaim.
type nameClaim struct {
	queue string // the queue that holds the name in this session; "" if there is none
	// abandoned is when a session ended whose connection may still hold the name at the broker;
	// zero if there is none.
	abandoned time.Time
	// since is when another connection was first found to hold the name; zero if the link holds
	// it.
	since    time.Time
	warned   bool      // it was logged that another connection has held the name for long
	probedAt time.Time // when the queue of that name was last probed
}

const (
	// lockedRetry is how long a broker that has noticed the end of a connection may take to
	// delete its queues.
	lockedRetry = 100 * time.Millisecond
	// regainFirst and regainLast are the first and the longest pause before the link asks for
	// the name again: RabbitMQ logs an error each time that it refuses.
	regainFirst = 5 * time.Second
	regainLast  = time.Minute
	// heldLong is longer than a broker takes to notice the end of a connection.
	heldLong = time.Minute
	// deadEvery is how often the queue of another connection is probed.
	deadEvery = time.Minute
	// deadAgain is when a broker that was too slow to answer is asked again.
	deadAgain = 10 * time.Second
)

// claimName declares the queue that holds the name, or one with a suffix.
func (s *session) claimName(ctx context.Context, cs *consumerState) error {
	c, name := &cs.claim, cs.queue.Name
	err := s.declareClaim(cs, name)
	ours := time.Since(c.abandoned) < noticedAfter
	if refusedWith(err, amqp.ResourceLocked) && ours {
		wait(ctx, lockedRetry)
		err = s.declareClaim(cs, name)
	}
	if err == nil {
		c.queue, c.since, c.warned = name, time.Time{}, false
		return nil
	}
	lost := refusedWith(err, amqp.NotFound) // nothing else can be missing in a declaration
	if !lost && !refusedWith(err, amqp.ResourceLocked) {
		return err
	}
	if !lost && !ours {
		var failed error
		if lost, failed = s.dead(ctx, cs); failed != nil || !lost {
			return cmp.Or(failed, err)
		}
	}
	other := name + "_" + suffix()
	if second := s.declareClaim(cs, other); second != nil {
		return second
	}
	c.queue = other
	if c.since.IsZero() {
		c.since = time.Now()
	}
	attributes := []any{"name", name, "queue", other, "error", errors.Unwrap(err)}
	if lost {
		s.link.log.Warn("the queue that holds our name is on a node that is down; another name is used until ours is free", attributes...)
	} else {
		s.link.log.Warn("our last connection still holds our name, because the broker has not noticed yet that it is gone; another name is used until ours is free", attributes...)
	}
	return nil
}

// dead reports whether the queue that holds the name has died with its node: the broker has the
// queue, gives it to no other connection, and refuses messages to it. To find out, dead
// publishes a marker, which a consumer of the queue would drop, at most once in deadEvery if the broker
// answers.
func (s *session) dead(ctx context.Context, cs *consumerState) (bool, error) {
	if time.Since(cs.claim.probedAt) < deadEvery {
		return false, nil
	}
	cs.claim.probedAt = time.Now()
	if s.publishing == nil {
		if err := s.openPublishing(ctx); err != nil {
			return false, err
		}
	}
	if s.markers == nil || s.markers.IsClosed() {
		if err := s.openMarkers(); err != nil {
			return false, s.publishing.socket.cause(err)
		}
	}
	const mandatory, immediate = false, false
	confirm, err := s.markers.PublishWithDeferredConfirm("", cs.queue.Name, mandatory, immediate, amqp.Publishing{Type: placeType})
	if errors.Is(err, amqp.ErrClosed) && !s.publishing.IsClosed() {
		return false, nil // the user may not write to the default exchange
	}
	if err != nil {
		return false, s.publishing.socket.cause(err)
	}
	ctx, cancel := context.WithTimeout(ctx, markerTimeout)
	defer cancel()
	taken, err := confirm.WaitContext(ctx)
	if err != nil {
		cs.claim.probedAt = time.Now().Add(deadAgain - deadEvery)
	}
	// A channel that was closed gives no answer.
	return err == nil && !taken && !s.markers.IsClosed(), nil
}

func suffix() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// declareClaim declares a queue that may hold the name. It lives as long as the connection.
func (s *session) declareClaim(cs *consumerState, name string) error {
	if !cs.consumesName() {
		return s.declareEmptyClaim(name)
	}
	return s.declareDeadLettering(cs, name, func(args amqp.Table) error {
		_, err := s.declareAside(name, false, args)
		return err
	})
}

// declareEmptyClaim declares a queue that only holds the name. It does not keep the markers of
// other links that probe it.
func (s *session) declareEmptyClaim(name string) error {
	args := amqp.Table{amqp.QueueMaxLenArg: 1, amqp.QueueOverflowArg: amqp.QueueOverflowDropHead}
	_, err := s.declareAside(name, false, args)
	if refusesArguments(err) {
		_, err = s.declareAside(name, false, nil)
	}
	return err
}

// consumesName reports whether the queue that holds the name is also the one that is consumed.
func (cs *consumerState) consumesName() bool { return cs.queue.Stream == nil && cs.queue.Expires == 0 }

// declareAside declares a queue, exclusive or durable, on a separate channel, which the broker
// closes if it refuses.
func (s *session) declareAside(name string, durable bool, args amqp.Table) (amqp.Queue, error) {
	ch, err := s.consuming.Channel()
	if err != nil {
		return amqp.Queue{}, err
	}
	defer ch.Close()
	const autoDelete, noWait = false, false
	q, err := ch.QueueDeclare(name, durable, autoDelete, !durable, noWait, args)
	return q, topology("queue", name, err)
}

// reclaimNames asks for the names that other connections hold until the link has them.
func (s *session) reclaimNames(done <-chan struct{}) {
	for _, cs := range s.link.consumerStates {
		if c := &cs.claim; c.queue != "" && c.queue != cs.queue.Name {
			s.tasks.Go(func() { s.reclaim(cs, done) })
		}
	}
}

// reclaim asks for a name until the link has it or the session ends.
func (s *session) reclaim(cs *consumerState, done <-chan struct{}) {
	c, name := &cs.claim, cs.queue.Name
	for pause := regainFirst; ; pause = min(2*pause, regainLast) {
		timer := time.NewTimer(pause)
		select {
		case <-done:
			timer.Stop()
			return
		case <-timer.C:
		}
		err := s.declareEmptyClaim(name)
		switch {
		case err == nil:
			s.link.log.Info("the link holds its own name again", "name", name, "queue", c.queue)
			c.queue, c.since, c.warned = name, time.Time{}, false
			return
		case !fromBroker(err):
			return // the watcher of the connection reports why
		case !c.warned && time.Since(c.since) > heldLong:
			c.warned = true
			s.link.log.Warn("another connection still holds our name: if another program of this name is running, stop one of them, otherwise delete the queue",
				"name", name, "queue", c.queue, "since", c.since.Round(time.Second), "error", errors.Unwrap(err))
		}
	}
}

// noteClaims records at the end of a session whether the broker may believe that its
// connection is alive and holds a name.
func (s *session) noteClaims() {
	gone := s.endedInOrder()
	for _, cs := range s.link.consumerStates {
		c := &cs.claim
		switch {
		case c.queue == cs.queue.Name && gone:
			c.abandoned = time.Time{}
		case c.queue != "":
			c.abandoned = time.Now()
		}
		c.queue = ""
	}
}

// endedInOrder reports whether the broker knows that the consuming connection has ended, so that
// its queues are gone: it answered the link's close, or closed the connection itself.
func (s *session) endedInOrder() bool {
	if s.consuming == nil || s.consuming.closed {
		return true
	}
	select {
	case e := <-s.consumingClosed:
		return e != nil && e.Server
	default:
		return false
	}
}

// removeFormerSentinels deletes the sentinels and gates of the queues that were consumed before
// under other names. Those queues then get nothing more.
func (s *session) removeFormerSentinels(cs *consumerState) error {
	for len(cs.formerNames) > 0 {
		if queue := cs.formerNames[0]; queue != cs.exclusiveName {
			err := s.deleteExchange(sentinelOf(queue))
			if err == nil {
				err = s.deleteExchange(gateOf(queue))
			}
			if err != nil {
				return err
			}
		}
		cs.formerNames = cs.formerNames[1:]
	}
	return nil
}

// deleteExchange deletes an exchange, if it exists and the user may.
func (s *session) deleteExchange(name string) error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	const ifUnused, noWait = false, false
	if err := ch.ExchangeDelete(name, ifUnused, noWait); err != nil && !fromBroker(err) {
		return err
	}
	return nil
}
