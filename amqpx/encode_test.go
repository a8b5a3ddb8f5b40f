package amqpx

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
)

// recorder records what is written to a connection.
type recorder struct {
	net.Conn
	mu      sync.Mutex
	written []byte // guarded by mu
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	r.written = append(r.written, p...)
	r.mu.Unlock()
	return r.Conn.Write(p)
}

// since returns what was written since the last call.
func (r *recorder) since() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.written
	r.written = nil
	return p
}

func TestAPublishIsWrittenAsTheLibraryWritesIt(t *testing.T) {
	b := broker.New(broker.Config{})
	defer b.Close()
	var r *recorder
	conn, err := amqp.DialConfig("amqp://guest:guest@localhost/", amqp.Config{Heartbeat: time.Hour, FrameSize: 4096, Dial: func(_, _ string) (net.Conn, error) {
		c, err := b.Dial("", "")
		r = &recorder{Conn: c}
		return r, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.ExchangeDeclare("an exchange", "topic", false, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
	r.since()
	frames := publishFrames{channel: 1, frameMax: conn.Config.FrameSize, exchange: "an exchange"}
	full := Publishing{
		ContentType: "type", ContentEncoding: "encoding", DeliveryMode: 2, Priority: 9, CorrelationId: "correlation", ReplyTo: "reply to",
		Expiration: "1000", MessageId: "message", Timestamp: time.Unix(9, 0), Type: "kind", UserId: "guest", AppId: "app", Body: []byte("hello"),
	}
	messages := map[string]Message{
		"nothing":   {},
		"all":       {Key: "a.key", Mandatory: true, Publishing: full},
		"long body": {Key: "a.key", Publishing: Publishing{Body: bytes.Repeat([]byte("0123456789"), 1000)}},
		"one frame": {Publishing: Publishing{Body: make([]byte, frames.frameMax-frameAround)}},
		"long key":  {Key: strings.Repeat("k", MaxShortString), Publishing: Publishing{Headers: Table{strings.Repeat("h", MaxShortString): strings.Repeat("v", 1000)}}},
	}
	// One header each, because the library writes the fields of a map in random order.
	_, headers := everyField()
	headers["int"], headers["no list"] = -1, []any{}
	for name, v := range headers {
		messages["header "+name] = Message{Publishing: Publishing{Headers: Table{name: v}}}
		messages["nested "+name] = Message{Publishing: Publishing{Headers: Table{"in": Table{"list": []any{v, true}}}}}
	}
	for name, m := range messages {
		if err := m.check(); err != nil && name != "all" {
			t.Errorf("%s: %v", name, err)
		}
		got := frames.append([]byte("before"), &m)
		if err := ch.Publish("an exchange", m.Key, m.Mandatory, false, m.Publishing); err != nil {
			t.Fatal(name, err)
		}
		if want := fmt.Sprintf("before%s", r.since()); string(got) != want {
			t.Errorf("%s:\n%q, want\n%q", name, got, want)
		}
	}
}

func TestAHeaderWithTooLongANameIsRefused(t *testing.T) {
	long := Table{strings.Repeat("h", MaxShortString+1): true}
	for _, headers := range []Table{long, {"in": long}, {"in": []any{1, Table{"in": long}}}} {
		m := Message{Publishing: Publishing{Headers: headers}}
		if m.check() == nil {
			t.Errorf("%v passes", headers)
		}
	}
}
