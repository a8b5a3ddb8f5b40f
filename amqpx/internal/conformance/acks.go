package conformance

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

var ackTests = []test{
	{"a multiple ack settles all deliveries up to the tag, and no more", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn).confirming()
		queue := ch.queue()
		worker := s.channelOn(conn)
		got := fill(ch, worker, queue, 5)
		ch.must(got[2].Ack(true))
		ch.must(worker.Close())
		s.equal("what comes back", ch.take(queue), []string{"3", "4"})
	}},
	{"a single ack settles that delivery only", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn).confirming()
		queue := ch.queue()
		worker := s.channelOn(conn)
		got := fill(ch, worker, queue, 5)
		ch.must(got[1].Ack(false))
		ch.must(got[3].Ack(false))
		ch.must(worker.Close())
		s.equal("what comes back", ch.take(queue), []string{"0", "2", "4"})
	}},
	{"tag zero with multiple means all", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn).confirming()
		queue := ch.queue()
		worker := s.channelOn(conn)
		fill(ch, worker, queue, 3)
		ch.must(worker.Ack(0, true))
		ch.must(worker.Ack(0, true)) // with nothing outstanding it is no error
		ch.must(worker.Close())
		s.equal("what comes back", ch.take(queue), nil)
	}},
	{"an unknown tag closes the channel", func(s *session) {
		conn := s.connect()
		for _, settle := range []func(*channel, amqp.Delivery) error{
			func(ch *channel, d amqp.Delivery) error { return ch.Ack(d.DeliveryTag+1, false) },
			func(ch *channel, d amqp.Delivery) error { return ch.Ack(d.DeliveryTag+1, true) },
			func(ch *channel, d amqp.Delivery) error { return ch.Ack(0, false) },
			func(ch *channel, d amqp.Delivery) error { return ch.Nack(d.DeliveryTag+1, false, true) },
			func(ch *channel, d amqp.Delivery) error { return ch.Reject(d.DeliveryTag+1, true) },
			func(ch *channel, d amqp.Delivery) error {
				ch.must(d.Ack(false))
				return d.Ack(false)
			},
		} {
			ch := s.channelOn(conn).confirming()
			got := fill(ch, ch, ch.queue(), 1)
			ch.must(settle(ch, got[0]))
			ch.wantClosed(amqp.PreconditionFailed)
		}
	}},
	{"a requeued message returns to its place and is flagged as redelivered", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		var got []amqp.Delivery
		for i := range 6 {
			ch.send("", queue, fmt.Sprint(i))
		}
		for range 4 {
			d, _, err := ch.Get(queue, false)
			ch.must(err)
			got = append(got, d)
		}
		ch.must(got[2].Nack(false, true))
		ch.must(got[0].Reject(true))
		ch.must(got[1].Ack(false))
		ch.must(got[3].Nack(false, true))
		for _, want := range []struct {
			body        string
			redelivered bool
		}{{"0", true}, {"2", true}, {"3", true}, {"4", false}, {"5", false}} {
			d, _, err := ch.Get(queue, true)
			ch.must(err)
			if string(d.Body) != want.body || d.Redelivered != want.redelivered {
				s.Errorf("got %q, redelivered %v; want %+v", d.Body, d.Redelivered, want)
			}
		}
	}},
	{"a multiple requeue keeps the order", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		got := fillByGet(ch, queue, 4)
		ch.send("", queue, "4")
		ch.must(got[2].Nack(true, true))
		s.equal("the queue", ch.take(queue), []string{"0", "1", "2", "4"})
	}},
	{"a message rejected without requeue is gone", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		got := fillByGet(ch, queue, 3)
		ch.must(got[0].Reject(false))
		ch.must(got[2].Nack(true, false))
		s.equal("the queue", ch.take(queue), nil)
	}},
	{"recover requeues every outstanding delivery", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		fillByGet(ch, queue, 3)
		//lint:ignore SA1019 clients call it all the same
		ch.must(ch.Recover(true))
		s.equal("the queue", ch.take(queue), []string{"0", "1", "2"})
	}},
	{"a closed channel's messages go to the next consumer", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn).confirming()
		queue := ch.queue()
		worker := s.channelOn(conn)
		fill(ch, worker, queue, 3)
		heir := ch.consume(queue)
		ch.must(worker.Close())
		s.wantInherited(heir, 3)
	}},
	{"a broken connection's messages go to the next consumer", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.shared()
		conn, cut := s.breakable()
		worker := s.channelOn(conn)
		deliveries := worker.consume(queue)
		for i := range 50 {
			ch.send("", queue, fmt.Sprint(i))
		}
		for range 50 {
			next(s.T, deliveries)
		}
		heir := ch.consume(queue)
		cut()
		s.wantInherited(heir, 50)
	}},
}

// fill publishes n numbered messages and takes them with a consumer on worker.
func fill(ch, worker *channel, queue string, n int) (got []amqp.Delivery) {
	ch.s.Helper()
	deliveries := worker.consume(queue)
	for i := range n {
		ch.send("", queue, fmt.Sprint(i))
	}
	for range n {
		got = append(got, next(ch.s.T, deliveries))
	}
	return got
}

// fillByGet publishes n numbered messages and takes them one by one.
func fillByGet(ch *channel, queue string, n int) (got []amqp.Delivery) {
	ch.s.Helper()
	for i := range n {
		ch.send("", queue, fmt.Sprint(i))
	}
	for range n {
		d, _, err := ch.Get(queue, false)
		ch.must(err)
		got = append(got, d)
	}
	return got
}

// wantInherited expects n numbered messages, in order, all marked as redelivered.
func (s *session) wantInherited(heir <-chan amqp.Delivery, n int) {
	s.Helper()
	for i := range n {
		if d := next(s.T, heir); string(d.Body) != fmt.Sprint(i) || !d.Redelivered {
			s.Fatalf("message %d: got %q, redelivered %v", i, d.Body, d.Redelivered)
		}
	}
}
