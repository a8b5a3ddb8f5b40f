package conformance

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

var publishTests = []test{
	{"every publish is confirmed", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		const n = 2000
		confirms := ch.NotifyPublish(make(chan amqp.Confirmation, n))
		for i := range n {
			ch.must(ch.Publish("", queue, false, false, amqp.Publishing{Body: fmt.Append(nil, i)}))
		}
		for i := range n {
			if got := next(s.T, confirms); !got.Ack || got.DeliveryTag != uint64(i+1) {
				s.Fatalf("confirm %d: got %+v", i+1, got)
			}
		}
		if got := ch.ready(queue); got != n {
			s.Errorf("the queue holds %d messages, want %d", got, n)
		}
	}},
	{"an unroutable message is confirmed", func(s *session) {
		ch := s.channel().confirming()
		ch.send(ch.exchange("topic"), "nobody", "hello")
	}},
	{"an unroutable mandatory message is returned before it is confirmed", func(s *session) {
		ch := s.channel().confirming()
		exchange := ch.exchange("topic")
		returns := ch.NotifyReturn(make(chan amqp.Return, 1))
		confirms := ch.NotifyPublish(make(chan amqp.Confirmation, 1))
		for i := range 100 {
			id := fmt.Sprint("message ", i)
			ch.must(ch.Publish(exchange, "command.nobody", true, false, amqp.Publishing{
				MessageId: id, Headers: amqp.Table{"n": int32(i)}, ContentType: "text/json", Body: []byte(id),
			}))
			if got := next(s.T, confirms); !got.Ack {
				s.Fatal("a returned message was not acknowledged")
			}
			// The library hands over in the order of arrival: the return must be here already.
			select {
			case r := <-returns:
				if r.ReplyCode != amqp.NoRoute || r.ReplyText != "NO_ROUTE" || r.Exchange != exchange ||
					r.RoutingKey != "command.nobody" || r.MessageId != id || string(r.Body) != id ||
					r.Headers["n"] != int32(i) || r.ContentType != "text/json" {
					s.Fatalf("got %+v", r)
				}
			default:
				s.Fatal("the confirm came before the return")
			}
		}
	}},
	{"a mandatory message that is routed is not returned", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		returns := ch.NotifyReturn(make(chan amqp.Return, 2))
		confirms := ch.NotifyPublish(make(chan amqp.Confirmation, 2))
		ch.must(ch.Publish("", queue, true, false, amqp.Publishing{}))
		ch.must(ch.Publish("", queue+".nowhere", true, false, amqp.Publishing{MessageId: "lost"}))
		next(s.T, confirms)
		next(s.T, confirms)
		if r := next(s.T, returns); r.MessageId != "lost" {
			s.Errorf("returned %+v", r)
		}
	}},
	{"messages are returned without confirm mode, too, with large bodies", func(s *session) {
		ch := s.channel()
		returns := ch.NotifyReturn(make(chan amqp.Return, 1))
		ch.must(ch.Publish("", s.name("nowhere"), true, false, amqp.Publishing{Body: make([]byte, 300_000)}))
		if r := next(s.T, returns); len(r.Body) != 300_000 {
			s.Errorf("returned %d bytes", len(r.Body))
		}
	}},
	{"publishing to an exchange that does not exist closes only the channel", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn)
		ch.must(ch.Publish(s.name("nowhere"), "key", false, false, amqp.Publishing{Body: make([]byte, 300_000)}))
		ch.must(ignoreClosed(ch.Publish("", "key", false, false, amqp.Publishing{Body: []byte("too late")})))
		ch.wantClosed(amqp.NotFound)
		other := s.channelOn(conn).confirming()
		other.send("", other.queue(), "the connection lives")
	}},
	{"immediate is not implemented", func(s *session) {
		ch := s.channel()
		ch.must(ch.Publish("", ch.queue(), false, true, amqp.Publishing{}))
		ch.wantClosed(amqp.NotImplemented)
	}},
	{"confirm.select may be called again", func(s *session) {
		ch := s.channel().confirming().confirming()
		ch.send("", ch.queue(), "hello")
	}},
}

// ignoreClosed tolerates that the channel was closed in between.
func ignoreClosed(err error) error {
	if e, ok := err.(*amqp.Error); ok && (e.Code == amqp.ChannelError || e.Code == amqp.NotFound) {
		return nil
	}
	return err
}
