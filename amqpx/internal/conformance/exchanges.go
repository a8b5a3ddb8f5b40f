package conformance

import (
	"errors"

	amqp "github.com/rabbitmq/amqp091-go"
)

var exchangeTests = []test{
	{"the predeclared exchanges exist", func(s *session) {
		conn := s.connect()
		for _, kind := range []string{"direct", "fanout", "topic"} {
			if !s.exchangeExists(conn, "amq."+kind, kind) {
				s.Errorf("amq.%s is missing", kind)
			}
		}
	}},
	{"an identical second declaration succeeds", func(s *session) {
		ch, name := s.channel(), s.name("exchange")
		for range 2 {
			ch.must(ch.ExchangeDeclare(name, "topic", false, true, false, false, nil))
		}
		ch.must(ch.ExchangeDelete(name, false, false))
	}},
	{"a different second declaration is refused", func(s *session) {
		conn := s.connect()
		name := s.channelOn(conn).exchange("topic")
		for _, declare := range []func(*amqp.Channel) error{
			func(ch *amqp.Channel) error {
				return ch.ExchangeDeclare(name, "fanout", false, true, false, false, nil)
			},
			func(ch *amqp.Channel) error { return ch.ExchangeDeclare(name, "topic", true, true, false, false, nil) },
			func(ch *amqp.Channel) error {
				return ch.ExchangeDeclare(name, "topic", false, false, false, false, nil)
			},
			func(ch *amqp.Channel) error { return ch.ExchangeDeclare(name, "topic", false, true, true, false, nil) },
		} {
			wantCode(s.T, declare(s.channelOn(conn).Channel), amqp.PreconditionFailed)
		}
	}},
	{"a passive declare only checks that the name exists", func(s *session) {
		conn := s.connect()
		name := s.channelOn(conn).exchange("topic")
		if !s.exchangeExists(conn, name, "fanout") {
			s.Error("a passive declare with another type reported that the exchange is missing")
		}
		if s.exchangeExists(conn, s.name("nowhere"), "topic") {
			s.Error("an exchange that was never declared exists")
		}
	}},
	{"names that begin with amq. are reserved", func(s *session) {
		ch := s.channel()
		wantCode(s.T, ch.ExchangeDeclare("amq.mine", "topic", false, true, false, false, nil), amqp.AccessRefused)
		ch = s.channel()
		wantCode(s.T, ch.ExchangeDelete("amq.topic", false, false), amqp.AccessRefused)
	}},
	{"the default exchange cannot be declared, deleted or bound", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn)
		wantCode(s.T, ch.QueueBind(ch.queue(), "key", "", false, nil), amqp.AccessRefused)
		ch = s.channelOn(conn)
		wantCode(s.T, ch.ExchangeDeclare("", "direct", true, false, false, false, nil), amqp.AccessRefused)
		ch = s.channelOn(conn)
		wantCode(s.T, ch.ExchangeDelete("", false, false), amqp.AccessRefused)
	}},
	{"an unknown type is refused", func(s *session) {
		err := s.channel().ExchangeDeclare(s.name("exchange"), "no-such-type", false, true, false, false, nil)
		if refused := (*amqp.Error)(nil); errors.As(err, &refused) && refused.Code == amqp.CommandInvalid {
			return // RabbitMQ 3 ends the connection
		}
		wantCode(s.T, err, amqp.PreconditionFailed)
	}},
	{"deleting an exchange that does not exist succeeds", func(s *session) {
		ch := s.channel()
		ch.must(ch.ExchangeDelete(s.name("nowhere"), false, false))
	}},
	{"with if-unused it is not deleted while bound", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn)
		name, queue := ch.exchange("fanout"), ch.queue()
		ch.bind(queue, "", name)
		wantCode(s.T, ch.ExchangeDelete(name, true, false), amqp.PreconditionFailed)
		ch = s.channelOn(conn)
		ch.must(ch.ExchangeDelete(name, false, false))
		if s.exchangeExists(conn, name, "fanout") {
			s.Error("a deleted exchange is still there")
		}
	}},
	{"with auto-delete it is deleted with its last binding", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn)
		name, one, two := ch.exchange("topic"), ch.queue(), ch.queue()
		ch.bind(one, "a", name)
		ch.bind(two, "b", name)
		ch.must(ch.QueueUnbind(one, "a", name, nil))
		if !s.exchangeExists(conn, name, "topic") {
			s.Fatal("the exchange went while a queue was bound to it")
		}
		_, err := ch.QueueDelete(two, false, false, false)
		ch.must(err)
		if s.exchangeExists(conn, name, "topic") {
			s.Error("the exchange outlived its last binding")
		}
	}},
	{"with auto-delete it remains until it has been bound once", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn)
		name := ch.exchange("topic")
		ch.must(ch.QueueUnbind(ch.queue(), "never bound", name, nil))
		if !s.exchangeExists(conn, name, "topic") {
			s.Error("the exchange went without having been bound")
		}
	}},
	{"with auto-delete it is deleted with the connection whose queues were bound to it", func(s *session) {
		conn, watcher := s.connect(), s.connect()
		ch := s.channelOn(conn)
		name, queue := ch.exchange("topic"), ch.queue()
		ch.bind(queue, "#", name)
		ch.must(conn.Close())
		s.eventually("the exchange is gone", func() bool { return !s.exchangeExists(watcher, name, "topic") })
	}},
	{"an internal exchange accepts no publishes", func(s *session) {
		ch := s.channel().confirming()
		name := s.name("internal")
		ch.must(ch.ExchangeDeclare(name, "topic", false, true, true, false, nil))
		ch.must(ch.Publish(name, "key", false, false, amqp.Publishing{}))
		ch.wantClosed(amqp.AccessRefused)
	}},
}
