package conformance

import (
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

var queueTests = []test{
	{"a queue without a name is given one", func(s *session) {
		ch := s.channel()
		one, two := ch.declare("", false, true), ch.declare("", false, true)
		if !strings.HasPrefix(one, "amq.gen-") || one == two {
			s.Errorf("server-given names %q and %q", one, two)
		}
	}},
	{"an empty name means the last declared queue", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		ch.send("", queue, "hello")
		s.equal("the last declared queue", ch.take(""), []string{"hello"})
		_, _, err := s.channel().Get("", true)
		wantCode(s.T, err, amqp.NotFound)
	}},
	{"a second declaration reports messages and consumers", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		ch.send("", queue, "one")
		ch.send("", queue, "two")
		q, err := ch.QueueDeclare(queue, false, false, true, false, nil)
		ch.must(err)
		if q.Messages != 2 || q.Consumers != 0 {
			s.Errorf("got %+v, want 2 messages and no consumer", q)
		}
		deliveries := ch.consume(queue)
		next(s.T, deliveries)
		next(s.T, deliveries)
		q, err = ch.QueueDeclarePassive(queue, false, false, false, false, nil)
		ch.must(err)
		if q.Messages != 0 || q.Consumers != 1 {
			s.Errorf("got %+v, want no message and 1 consumer", q)
		}
	}},
	{"a different second declaration is refused", func(s *session) {
		conn := s.connect()
		name := s.channelOn(conn).shared()
		_, err := s.channelOn(conn).QueueDeclare(name, true, false, false, false, nil)
		wantCode(s.T, err, amqp.PreconditionFailed)
		_, err = s.channelOn(conn).QueueDeclare(name, false, true, false, false, nil)
		wantCode(s.T, err, amqp.PreconditionFailed)
		_, err = s.channelOn(conn).QueueDeclare(name, false, false, true, false, nil)
		wantCode(s.T, err, amqp.ResourceLocked)
	}},
	{"an exclusive queue is never durable", func(s *session) {
		ch := s.channel()
		name := ch.queue()
		_, err := ch.QueueDeclare(name, true, false, true, false, nil)
		ch.must(err)
	}},
	{"names that begin with amq. are reserved, including those given by the broker", func(s *session) {
		_, err := s.channel().QueueDeclare("amq.mine", false, false, true, false, nil)
		wantCode(s.T, err, amqp.AccessRefused)
		ch := s.channel()
		given := ch.declare("", false, true)
		_, err = ch.QueueDeclarePassive(given, false, false, false, false, nil)
		ch.must(err)
		_, err = ch.QueueDeclare(given, false, false, true, false, nil)
		wantCode(s.T, err, amqp.AccessRefused)
	}},
	{"requests with no-wait are carried out", func(s *session) {
		ch := s.channel().confirming()
		queue, exchange := s.name("queue"), s.name("exchange")
		_, err := ch.QueueDeclare(queue, false, false, true, true, nil)
		ch.must(err)
		ch.must(ch.ExchangeDeclare(exchange, "topic", false, true, false, true, nil))
		ch.must(ch.QueueBind(queue, "#", exchange, true, nil))
		deliveries, err := ch.Consume(queue, "tag", true, false, false, true, nil)
		ch.must(err)
		ch.send(exchange, "a.b", "hello")
		if d := next(s.T, deliveries); string(d.Body) != "hello" {
			s.Errorf("got %q", d.Body)
		}
		ch.must(ch.Cancel("tag", true))
		_, err = ch.QueueDelete(queue, false, false, true)
		ch.must(err)
		ch.must(ch.ExchangeDelete(exchange, false, true))
		q, err := ch.QueueDeclare(queue, false, false, true, false, nil) // another one
		ch.must(err)
		if q.Consumers != 0 {
			s.Errorf("a new queue has %d consumers", q.Consumers)
		}
	}},
	{"a queue that was never declared is not found", func(s *session) {
		conn, name := s.connect(), s.name("nowhere")
		_, err := s.channelOn(conn).QueueDeclarePassive(name, false, false, false, false, nil)
		wantCode(s.T, err, amqp.NotFound)
		_, err = s.channelOn(conn).Consume(name, "", false, false, false, false, nil)
		wantCode(s.T, err, amqp.NotFound)
		_, _, err = s.channelOn(conn).Get(name, true)
		wantCode(s.T, err, amqp.NotFound)
		_, err = s.channelOn(conn).QueuePurge(name, false)
		wantCode(s.T, err, amqp.NotFound)
		wantCode(s.T, s.channelOn(conn).QueueBind(name, "k", "amq.topic", false, nil), amqp.NotFound)
		ch := s.channelOn(conn)
		wantCode(s.T, ch.QueueBind(ch.queue(), "k", name, false, nil), amqp.NotFound)
	}},
	{"deleting a queue that does not exist succeeds", func(s *session) {
		ch := s.channel()
		n, err := ch.QueueDelete(s.name("nowhere"), false, false, false)
		ch.must(err)
		if n != 0 {
			s.Errorf("deleted %d messages of no queue", n)
		}
	}},
	{"purge discards ready messages, not unacknowledged ones", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		for _, body := range []string{"1", "2", "3"} {
			ch.send("", queue, body)
		}
		d, _, err := ch.Get(queue, false)
		ch.must(err)
		n, err := ch.QueuePurge(queue, false)
		ch.must(err)
		if n != 2 {
			s.Errorf("purged %d messages, want 2", n)
		}
		ch.must(d.Nack(false, true))
		s.equal("what was being worked on", ch.take(queue), []string{"1"})
	}},
	{"with if-unused and if-empty it is not deleted while in use or not empty", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn).confirming()
		queue := ch.queue()
		ch.send("", queue, "1")
		_, err := s.channelOn(conn).QueueDelete(queue, false, true, false)
		wantCode(s.T, err, amqp.PreconditionFailed)
		d := next(s.T, ch.consume(queue))
		_, err = s.channelOn(conn).QueueDelete(queue, true, false, false)
		wantCode(s.T, err, amqp.PreconditionFailed)
		ch.must(d.Nack(false, false))
		n, err := ch.QueueDelete(queue, false, true, false)
		ch.must(err)
		if n != 0 {
			s.Errorf("an empty queue took %d messages with it", n)
		}
	}},
	{"with auto-delete it is deleted with its last consumer, and not before the first", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn)
		queue := ch.declare(s.name("queue"), true, false)
		if !s.queueExists(conn, queue) {
			s.Fatal("the queue went before it had a consumer")
		}
		for _, tag := range []string{"one", "two"} {
			_, err := ch.Consume(queue, tag, false, false, false, false, nil)
			ch.must(err)
		}
		ch.must(ch.Cancel("one", false))
		if !s.queueExists(conn, queue) {
			s.Fatal("the queue went while it had a consumer")
		}
		ch.must(ch.Cancel("two", false))
		s.eventually("the queue is gone", func() bool { return !s.queueExists(conn, queue) })
	}},
	{"with auto-delete it is deleted with the connection of its last consumer", func(s *session) {
		conn, watcher := s.connect(), s.connect()
		ch := s.channelOn(conn)
		queue := ch.declare(s.name("queue"), true, false)
		ch.consume(queue)
		ch.must(conn.Close())
		s.eventually("the queue is gone", func() bool { return !s.queueExists(watcher, queue) })
	}},
	{"its consumers are cancelled when it is deleted", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn)
		queue := ch.queue()
		cancelled := ch.NotifyCancel(make(chan string, 1))
		_, err := ch.Consume(queue, "the-tag", false, false, false, false, nil)
		ch.must(err)
		_, err = s.channelOn(conn).QueueDelete(queue, false, false, false)
		ch.must(err)
		if tag := next(s.T, cancelled); tag != "the-tag" {
			s.Errorf("cancelled %q", tag)
		}
	}},
}
