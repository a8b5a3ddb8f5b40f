package conformance

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

var consumerTests = []test{
	{"messages arrive in the order of publishing", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		deliveries := ch.consume(queue)
		for i := range 1000 {
			ch.must(ch.Publish("", queue, false, false, amqp.Publishing{Body: fmt.Append(nil, i)}))
		}
		for i := range 1000 {
			if d := next(s.T, deliveries); string(d.Body) != fmt.Sprint(i) || d.DeliveryTag != uint64(i+1) {
				s.Fatalf("message %d: got %q with tag %d", i, d.Body, d.DeliveryTag)
			}
		}
	}},
	{"consumers of one queue are served in round-robin", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		one, two := ch.consume(queue), ch.consume(queue)
		for range 10 {
			ch.send("", queue, "")
		}
		for range 5 {
			next(s.T, one)
			next(s.T, two)
		}
	}},
	{"with no-ack a message is settled when it is delivered", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn).confirming()
		queue := ch.queue()
		consumer := s.channelOn(conn)
		deliveries, err := consumer.Consume(queue, "", true, false, false, false, nil)
		ch.must(err)
		ch.send("", queue, "once")
		next(s.T, deliveries)
		ch.must(consumer.Close())
		if n := ch.ready(queue); n != 0 {
			s.Errorf("%d messages came back", n)
		}
	}},
	{"a consumer without a tag is given one", func(s *session) {
		r := s.rawChannel()
		if tag := r.consumeServerNamed(r.declareServerNamed()); tag == "" {
			s.Error("the broker gave no tag")
		}
	}},
	{"a consumer's tag is not used twice on a channel", func(s *session) {
		r := s.rawChannel()
		name := r.declareServerNamed()
		r.send(rawConsume(name, "twice"))
		r.want(60, 21)
		r.send(rawConsume(name, "twice"))
		r.wantClose(10, 50, amqp.NotAllowed, 60, 20)
	}},
	{"after cancel, outstanding deliveries can still be acknowledged", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		deliveries, err := ch.Consume(queue, "tag", false, false, false, false, nil)
		ch.must(err)
		ch.send("", queue, "first")
		d := next(s.T, deliveries)
		ch.must(ch.Cancel("tag", false))
		ch.send("", queue, "second")
		if n := ch.ready(queue); n != 1 {
			s.Errorf("%d messages wait, want the second only", n)
		}
		ch.must(d.Nack(false, true))
		s.equal("the queue", ch.take(queue), []string{"first", "second"})
	}},
	{"cancelling an unknown consumer succeeds", func(s *session) {
		ch := s.channel()
		ch.must(ch.Cancel("nobody", false))
	}},
	{"get returns one message, and how many are left", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		_, ok, err := ch.Get(queue, false)
		ch.must(err)
		if ok {
			s.Fatal("an empty queue gave a message")
		}
		ch.send("", queue, "one")
		ch.send("", queue, "two")
		d, ok, err := ch.Get(queue, false)
		ch.must(err)
		if !ok || string(d.Body) != "one" || d.MessageCount != 1 || d.RoutingKey != queue {
			s.Errorf("got %+v", d)
		}
		ch.must(d.Ack(false))
	}},
}

var prefetchTests = []test{
	{"a consumer gets no more than its prefetch until it acknowledges", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		for i := range 10 {
			ch.send("", queue, fmt.Sprint(i))
		}
		ch.must(ch.Qos(3, 0, false))
		deliveries := ch.consume(queue)
		var last amqp.Delivery
		for range 3 {
			last = next(s.T, deliveries)
		}
		s.wantReady(ch, queue, 7)
		ch.must(last.Ack(true))
		for i := range 3 {
			if d := next(s.T, deliveries); string(d.Body) != fmt.Sprint(3+i) {
				s.Errorf("got %q", d.Body)
			}
		}
		s.wantReady(ch, queue, 4)
	}},
	{"the prefetch is for each consumer of a channel", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		for range 10 {
			ch.send("", queue, "")
		}
		ch.must(ch.Qos(2, 0, false))
		one := ch.consume(queue)
		ch.must(ch.Qos(1, 0, false)) // for consumers to come
		two := ch.consume(queue)
		next(s.T, one)
		next(s.T, one)
		next(s.T, two)
		s.wantReady(ch, queue, 7)
	}},
	{"a global prefetch bounds a consumer", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		for range 5 {
			ch.send("", queue, "")
		}
		ch.must(ch.Qos(4, 0, true))
		deliveries := ch.consume(queue)
		for range 4 {
			next(s.T, deliveries)
		}
		s.wantReady(ch, queue, 1)
	}},
	{"the prefetch does not limit a no-ack consumer", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		ch.must(ch.Qos(1, 0, false))
		deliveries, err := ch.Consume(queue, "", true, false, false, false, nil)
		ch.must(err)
		for range 5 {
			ch.send("", queue, "")
		}
		for range 5 {
			next(s.T, deliveries)
		}
	}},
	{"a busy consumer does not hold up an idle one", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		ch.must(ch.Qos(1, 0, false))
		busy, idle := ch.consume(queue), ch.consume(queue)
		ch.send("", queue, "kept")
		ch.send("", queue, "1")
		var kept, d amqp.Delivery
		kept, d = next(s.T, busy), next(s.T, idle)
		for i := range 5 {
			ch.must(d.Ack(false))
			ch.send("", queue, fmt.Sprint(i))
			d = next(s.T, idle)
		}
		ch.must(kept.Ack(false))
	}},
	{"a prefetch in bytes is not implemented", func(s *session) {
		wantCode(s.T, s.channel().Qos(1, 1000, false), amqp.NotImplemented)
	}},
}

// wantReady waits until want messages are ready in the queue, and checks that the number does not
// change. Each answer comes after everything that the broker has sent before it.
func (s *session) wantReady(ch *channel, queue string, want int) {
	s.Helper()
	s.eventually(fmt.Sprintf("%d messages wait", want), func() bool { return ch.ready(queue) == want })
	for range 3 {
		if got := ch.ready(queue); got != want {
			s.Fatalf("%d messages wait, want %d", got, want)
		}
	}
}
