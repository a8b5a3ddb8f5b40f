package actor_test

import (
	"context"
	"log/slog"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/recorded"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// throughBoth publishes the messages and returns them as received from a plain queue and
// from a stream.
func throughBoth(t *testing.T, messages []amqpx.Message) (plain, streamed []*amqpx.Delivery) {
	t.Helper()
	url := testkit.RabbitMQ(t).NewVHost(t)
	up, fromQueue, fromStream := make(chan struct{}, 10), make(chan *amqpx.Delivery, 1000), make(chan *amqpx.Delivery, 1000)
	link, err := amqpx.New(amqpx.Config{
		URLs: []string{url}, Name: "both", Exchange: actor.Exchange, Logger: slog.New(slog.DiscardHandler),
		Queues: []amqpx.Queue{
			{Name: "plain", Bindings: []string{"#"}, Deliver: func(d *amqpx.Delivery) { fromQueue <- d }},
			{Name: "both", Bindings: []string{"#"}, Stream: &amqpx.Stream{Name: "stream"}, Deliver: func(d *amqpx.Delivery) { fromStream <- d }},
		},
		OnState: func(s amqpx.State) {
			if s.Up {
				up <- struct{}{}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = link.Run(ctx) }()
	defer func() { stop(); <-ended }()
	<-up
	ch := testkit.OpenChannel(t, url)
	for _, m := range messages {
		if err := ch.Publish(actor.Exchange, m.Key, false, false, m.Publishing); err != nil {
			t.Fatal(err)
		}
	}
	late := time.After(testkit.Patience)
	for len(plain) < len(messages) || len(streamed) < len(messages) {
		select {
		case d := <-fromQueue:
			plain = append(plain, d)
		case d := <-fromStream:
			if _, ok := amqpx.TakeStreamOffset(d); !ok {
				t.Errorf("%s has no offset: %v", d.MessageId, d.Headers)
			}
			streamed = append(streamed, d)
		case <-late:
			t.Fatalf("%d and %d of %d messages were received", len(plain), len(streamed), len(messages))
		}
	}
	return plain, streamed
}

func TestAStreamHasTheEnvelopesOfAPlainQueueWithoutTablesAndLists(t *testing.T) {
	var messages []amqpx.Message
	for _, rec := range recorded.Cases(t) {
		for _, m := range rec.Replies {
			messages = append(messages, amqpx.Message{Key: m.RoutingKey, Publishing: m.Publishing()})
		}
	}
	e := actor.Envelope{NaN: actor.NaNPython}
	plain, streamed := throughBoth(t, messages)
	for i := range plain {
		maps.DeleteFunc(plain[i].Headers, nested)
		want, wantErr := e.Append(nil, plain[i])
		got, err := e.Append(nil, streamed[i])
		if string(got) != string(want) || err != wantErr {
			t.Errorf("from a stream: %s %v\nfrom a queue:  %s %v", got, err, want, wantErr)
		}
	}
}

// nested reports whether a header is of a type that a stream does not keep.
func nested(_ string, value any) bool {
	switch value.(type) {
	case amqpx.Table, []any:
		return true
	}
	return false
}

func TestAStreamKeepsEveryOtherHeaderAndAllProperties(t *testing.T) {
	full := amqpx.Publishing{
		Headers: amqpx.Table{
			"nothing": nil, "yes": true, "text": "s", "not UTF-8": "\xff", "bytes": []byte("b\xff"), "time": time.Unix(1700000000, 0).UTC(),
			"8": int8(-1), "u8": byte(200), "16": int16(-3), "u16": uint16(60000), "32": int32(-4), "u32": uint32(4e9), "64": int64(-5),
			"float": float32(1.5), "double": 2.5, "x-own": "kept", "table": amqpx.Table{"lost": true}, "list": []any{"lost"},
		},
		ContentType: "text/json", ContentEncoding: "utf-8", DeliveryMode: 2, Priority: 7, CorrelationId: "12", ReplyTo: "me", Expiration: "60000",
		MessageId: "0b7e9a0e-7c1b-4a6e-8a5e-1c9d6f1f2a3b", Timestamp: time.Unix(1700000001, 0), Type: "reply", UserId: "guest", AppId: "clu",
		Body: []byte{0, 255},
	}
	plain, streamed := throughBoth(t, []amqpx.Message{{Key: "reply.full", Publishing: full}, {Key: "reply.bare"}})
	for i, want := range plain {
		got := streamed[i]
		maps.DeleteFunc(want.Headers, nested)
		if want.Headers == nil {
			want.Headers = amqpx.Table{} // from a stream it is not nil
		}
		if testkit.RabbitMQ(t).Version().AtLeast(4, 0) { // it stores messages in the form of AMQP 1.0
			for name, value := range want.Headers {
				if bytes, ok := value.([]byte); ok {
					want.Headers[name] = string(bytes)
				}
			}
			want.DeliveryMode = max(want.DeliveryMode, 1)
		}
		// These depend on the consumer.
		want.Acknowledger, want.ConsumerTag, want.DeliveryTag = got.Acknowledger, got.ConsumerTag, got.DeliveryTag
		if !reflect.DeepEqual(got, want) {
			t.Errorf("from a stream: %+v\nfrom a queue:  %+v", got, want)
		}
	}
}
