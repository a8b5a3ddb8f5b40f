package conformance

import (
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

var exclusivityTests = []test{
	{"an exclusive queue is locked to every other connection", func(s *session) {
		queue := s.channel().queue()
		other := s.connect()
		for what, use := range map[string]func(*amqp.Channel) error{
			"declare": func(ch *amqp.Channel) error {
				_, err := ch.QueueDeclare(queue, false, false, true, false, nil)
				return err
			},
			"passive declare": func(ch *amqp.Channel) error {
				_, err := ch.QueueDeclarePassive(queue, false, false, true, false, nil)
				return err
			},
			"consume": func(ch *amqp.Channel) error {
				_, err := ch.Consume(queue, "", false, false, false, false, nil)
				return err
			},
			"get":    func(ch *amqp.Channel) error { _, _, err := ch.Get(queue, true); return err },
			"bind":   func(ch *amqp.Channel) error { return ch.QueueBind(queue, "k", "amq.topic", false, nil) },
			"purge":  func(ch *amqp.Channel) error { _, err := ch.QueuePurge(queue, false); return err },
			"delete": func(ch *amqp.Channel) error { _, err := ch.QueueDelete(queue, false, false, false); return err },
		} {
			s.Log(what)
			err := use(s.channelOn(other).Channel)
			wantCode(s.T, err, amqp.ResourceLocked)
			if want := "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '" + queue + "'"; !strings.Contains(err.Error(), want) {
				s.Errorf("%s: got %q, want it to say %q", what, err, want)
			}
		}
	}},
	{"another connection may publish to an exclusive queue", func(s *session) {
		owner, other := s.channel(), s.channel().confirming()
		queue := owner.queue()
		other.send("", queue, "hello")
		s.equal("the queue", owner.take(queue), []string{"hello"})
	}},
	{"its connection may use an exclusive queue on every channel", func(s *session) {
		conn := s.connect()
		queue := s.channelOn(conn).queue()
		s.channelOn(conn).consume(queue)
	}},
	{"an exclusive queue is deleted with its connection", func(s *session) {
		conn, watcher := s.connect(), s.channel()
		ch := s.channelOn(conn)
		queue := ch.queue()
		ch.must(conn.Close())
		s.eventually("the name is free", func() bool { return !s.queueExists(s.connect(), queue) })
		watcher.declare(queue, false, true)
	}},
	{"an exclusive queue is deleted when its connection breaks", func(s *session) {
		conn, cut := s.breakable()
		queue := s.channelOn(conn).queue()
		cut()
		watcher := s.connect()
		s.eventually("the name is free", func() bool {
			ch := s.channelOn(watcher)
			_, err := ch.QueueDeclare(queue, false, false, true, false, nil)
			if err != nil {
				wantCode(s.T, err, amqp.ResourceLocked)
			}
			return err == nil
		})
	}},
	{"an exclusive queue outlives the channel that declared it", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn)
		queue := ch.queue()
		ch.must(ch.Close())
		if !s.queueExists(conn, queue) {
			s.Error("the queue went with its channel")
		}
	}},
	{"an exclusive consumer excludes all others", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn)
		queue := ch.queue()
		_, err := ch.Consume(queue, "alone", false, true, false, false, nil)
		ch.must(err)
		_, err = s.channelOn(conn).Consume(queue, "", false, false, false, false, nil)
		wantCode(s.T, err, amqp.AccessRefused)
		ch.must(ch.Cancel("alone", false))
		s.channelOn(conn).consume(queue)
		_, err = s.channelOn(conn).Consume(queue, "", false, true, false, false, nil)
		wantCode(s.T, err, amqp.AccessRefused)
	}},
}
