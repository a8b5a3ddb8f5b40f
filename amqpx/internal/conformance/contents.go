package conformance

import (
	"bytes"
	"reflect"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

var contentTests = []test{
	{"every type of header passes through unchanged", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		sent := amqp.Table{
			"void": nil, "true": true, "false": false,
			"int8": int8(-8), "uint8": uint8(200), "int16": int16(-1600), "int32": int32(-320000), "int64": int64(1) << 60,
			"float32": float32(1.5), "float64": 2.25, "decimal": amqp.Decimal{Scale: 2, Value: 12345},
			"string": "caf\u00e9 \u2603", "empty": "", "bytes": []byte{0, 1, 255},
			"time":  time.Unix(1684956305, 0),
			"array": []any{"a", int32(1), nil, amqp.Table{"deep": true}, []any{int64(1)}},
			"table": amqp.Table{"inner": amqp.Table{"n": int64(7)}, "none": amqp.Table{}},
		}
		ch.sendMessage("", queue, amqp.Publishing{Headers: sent})
		got, _, err := ch.Get(queue, true)
		ch.must(err)
		if !reflect.DeepEqual(got.Headers, sent) {
			s.Errorf("sent %#v\n got %#v", sent, got.Headers)
		}
	}},
	{"every property passes through unchanged", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		sent := amqp.Publishing{
			ContentType: "text/json", ContentEncoding: "utf-8", DeliveryMode: amqp.Transient, Priority: 3,
			CorrelationId: "correlation", ReplyTo: "queue_replies", Expiration: "60000", MessageId: "0123456789abcdef",
			Timestamp: time.Unix(1684956305, 0), Type: "kind", UserId: "guest", AppId: "app", Body: []byte("body"),
		}
		ch.sendMessage("", queue, sent)
		d, _, err := ch.Get(queue, true)
		ch.must(err)
		got := amqp.Publishing{
			ContentType: d.ContentType, ContentEncoding: d.ContentEncoding, DeliveryMode: d.DeliveryMode,
			Priority: d.Priority, CorrelationId: d.CorrelationId, ReplyTo: d.ReplyTo, Expiration: d.Expiration,
			MessageId: d.MessageId, Timestamp: d.Timestamp, Type: d.Type, UserId: d.UserId, AppId: d.AppId, Body: d.Body,
		}
		if !reflect.DeepEqual(got, sent) {
			s.Errorf("sent %#v\n got %#v", sent, got)
		}
	}},
	{"bodies of every size arrive whole", func(s *session) {
		ch := s.channel().confirming()
		queue := ch.queue()
		deliveries := ch.consume(queue)
		const frame = 128<<10 - 8 // what one body frame holds
		for _, size := range []int{0, 1, 4095, 4096, 4097, frame - 1, frame, frame + 1, 2 * frame, 1 << 20, 3<<20 + 7} {
			body := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
			ch.sendMessage("", queue, amqp.Publishing{Body: body})
			d := next(s.T, deliveries)
			if !bytes.Equal(d.Body, body) {
				s.Errorf("sent %d bytes, got %d, or others", size, len(d.Body))
			}
			ch.must(d.Ack(false))
		}
	}},
	{"a client with small frames gets large bodies in small frames", func(s *session) {
		sender := s.channel().confirming()
		conn, err := amqp.DialConfig(s.to.url, amqp.Config{Dial: s.to.dial, FrameSize: 8192, Locale: "en_US"})
		sender.must(err)
		s.Cleanup(func() { _ = conn.Close() })
		if conn.Config.FrameSize != 8192 {
			s.Fatalf("negotiated frames of %d bytes", conn.Config.FrameSize)
		}
		receiver := s.channelOn(conn).confirming()
		queue := receiver.queue()
		deliveries := receiver.consume(queue)
		body := bytes.Repeat([]byte("x"), 100_000)
		for _, from := range []*channel{sender, receiver} {
			from.sendMessage("", queue, amqp.Publishing{Body: body})
			if d := next(s.T, deliveries); !bytes.Equal(d.Body, body) {
				s.Errorf("got %d bytes, want %d", len(d.Body), len(body))
			}
		}
	}},
	{"a delivery names its exchange, key and consumer", func(s *session) {
		ch := s.channel().confirming()
		exchange, queue := ch.exchange("topic"), ch.queue()
		ch.bind(queue, "#", exchange)
		deliveries, err := ch.Consume(queue, "my-tag", false, false, false, false, nil)
		ch.must(err)
		ch.send(exchange, "some.key", "")
		d := next(s.T, deliveries)
		if d.Exchange != exchange || d.RoutingKey != "some.key" || d.ConsumerTag != "my-tag" || d.DeliveryTag != 1 || d.Redelivered {
			s.Errorf("got %+v", d)
		}
	}},
}
