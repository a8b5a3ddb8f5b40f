package actor_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

// recording is one case of traffic recorded from CLU 2.6.1 and RabbitMQ 3.10:
// what a WebSocket client sent, the messages on the exchange, and what CLU's own
// server wrote to its clients.
type recording struct {
	Case        string
	ClientSends string `json:"client_sends"`
	Commands    []recordedMessage
	Replies     []recordedMessage
	Envelopes   []string
}

type recordedMessage struct {
	Exchange   string
	RoutingKey string `json:"routing_key"`
	Properties struct {
		ContentType   string `json:"content_type"`
		DeliveryMode  uint8  `json:"delivery_mode"`
		Priority      uint8  // 0 is what aio-pika shows for none
		CorrelationID string `json:"correlation_id"`
		ReplyTo       string `json:"reply_to"`
		MessageID     string `json:"message_id"`
		Timestamp     *int64
	}
	Headers map[string]any
	Body    string
}

func recordings(t *testing.T) []recording {
	t.Helper()
	raw, err := os.ReadFile("testdata/clu-2.6.1.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var all []recording
	for line := range bytes.Lines(raw) {
		var r recording
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if len(all) != 30 {
		t.Fatalf("there are %d recordings, not 30", len(all))
	}
	return all
}

// delivery is the message as the AMQP library would hand it over.
func (m recordedMessage) delivery() *amqpx.Delivery {
	d := &amqpx.Delivery{
		Headers:       table(m.Headers),
		ContentType:   m.Properties.ContentType,
		DeliveryMode:  m.Properties.DeliveryMode,
		CorrelationId: m.Properties.CorrelationID,
		ReplyTo:       m.Properties.ReplyTo,
		MessageId:     m.Properties.MessageID,
		Exchange:      m.Exchange,
		RoutingKey:    m.RoutingKey,
		Body:          []byte(m.Body),
	}
	if m.Properties.Timestamp != nil {
		d.Timestamp = time.Unix(*m.Properties.Timestamp, 0)
	}
	return d
}

// table gives recorded headers the types that AMQP carries.
func table(m map[string]any) amqpx.Table {
	t := amqpx.Table{}
	for k, v := range m {
		t[k] = field(v)
	}
	return t
}

func field(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	case map[string]any:
		return table(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = field(v[i])
		}
		return list
	}
	return v
}

func TestEnvelopesEqualCLUs(t *testing.T) {
	for _, rec := range recordings(t) {
		t.Run(rec.Case, func(t *testing.T) {
			var got []string
			for _, m := range rec.Replies {
				b, err := actor.Envelope{NaN: actor.NaNPython}.Append(nil, m.delivery())
				if err == nil {
					got = append(got, string(b))
				}
			}
			if len(got) != len(rec.Envelopes) {
				t.Fatalf("there are %d envelopes, CLU wrote %d", len(got), len(rec.Envelopes))
			}
			for i, want := range rec.Envelopes {
				if !equalJSON(t, got[i], want) {
					t.Errorf("envelope %d\nours: %s\nCLU:  %s", i, got[i], want)
				}
				if !equalKeyOrder(got[i], want) {
					t.Errorf("envelope %d has its keys in another order\nours: %s\nCLU:  %s", i, got[i], want)
				}
			}
		})
	}
}

// equalJSON compares Python's JSON; numbers are compared as they are written.
func equalJSON(t *testing.T, a, b string) bool {
	t.Helper()
	return reflect.DeepEqual(pythonJSON(t, a), pythonJSON(t, b))
}

// notANumber finds the values that are Python's only. No recorded text has one
// behind a colon.
var notANumber = regexp.MustCompile(`: (NaN|-?Infinity)`)

func pythonJSON(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(notANumber.ReplaceAllString(text, `: "$1"`)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

var topKey = regexp.MustCompile(`"(headers|exchange|message_id|routing_key|timestamp|body)": `)

func equalKeyOrder(a, b string) bool {
	return reflect.DeepEqual(topKey.FindAllString(a, -1), topKey.FindAllString(b, -1))
}

func TestDroppedRepliesAreThoseThatCLUDrops(t *testing.T) {
	want := map[string]error{
		"foreign: no message_code":                        actor.NoCode,
		"foreign: empty message_code":                     actor.NoCode,
		"foreign: command_id differs from correlation_id": actor.Mismatch,
		"foreign: command_id without correlation_id":      actor.Mismatch,
	}
	for _, rec := range recordings(t) {
		for _, m := range rec.Replies {
			if _, err := actor.ParseReply(m.delivery()); err != want[rec.Case] {
				t.Errorf("%s: %v, want %v", rec.Case, err, want[rec.Case])
			}
		}
	}
}

func TestCommandsEqualCLUsPropertyForProperty(t *testing.T) {
	compared := 0
	for _, rec := range recordings(t) {
		for _, want := range rec.Commands {
			client := strings.TrimSuffix(want.Properties.ReplyTo, "_replies")
			var sent struct {
				Consumer      string
				CommandString string `json:"command_string"`
				CommandID     string `json:"command_id"`
			}
			if err := json.Unmarshal([]byte(rec.ClientSends), &sent); err != nil {
				t.Fatal(err)
			}
			id := sent.CommandID
			if id == "" {
				id = want.Properties.CorrelationID // CLU made one
			}
			equalMessage(t, rec.Case, actor.NewCommand(client, sent.Consumer, sent.CommandString, id).Message(), want)
			got, err := actor.ParseCommand(want.delivery())
			if err != nil || got.CommandString != sent.CommandString || got.CommandID != id {
				t.Errorf("%s: CLU's command is read as %+v, %v", rec.Case, got, err)
			}
			compared++
		}
	}
	if compared != 10 {
		t.Errorf("%d commands were compared, not 10", compared)
	}
}

func TestRepliesEqualCLUsPropertyForProperty(t *testing.T) {
	for _, rec := range recordings(t) {
		if strings.HasPrefix(rec.Case, "foreign") {
			continue
		}
		for _, want := range rec.Replies {
			if rec.Case == "unroutable consumer" {
				cmd := actor.NewCommand(strings.TrimPrefix(want.RoutingKey, "reply."), "nobody", "ping", "n")
				equalMessage(t, rec.Case, cmd.Unroutable(strings.TrimPrefix(want.RoutingKey, "reply.")), want)
				continue
			}
			r, err := actor.ParseReply(want.delivery())
			if err != nil {
				t.Fatal(err)
			}
			r.Body = json.RawMessage(want.Body) // as it was, NaN and all
			equalMessage(t, rec.Case, r.Message(), want)
		}
	}
}

// equalMessage compares everything but the message id, which is random.
func equalMessage(t *testing.T, name string, got amqpx.Message, want recordedMessage) {
	t.Helper()
	d := want.delivery()
	wantMessage := amqpx.Message{Key: d.RoutingKey, Mandatory: true, Publishing: amqpx.Publishing{
		Headers: d.Headers, ContentType: d.ContentType, DeliveryMode: d.DeliveryMode, CorrelationId: d.CorrelationId,
		ReplyTo: d.ReplyTo, Timestamp: d.Timestamp,
	}}
	gotBody := string(got.Body)
	got.MessageId, got.Body = "", nil
	if !reflect.DeepEqual(got, wantMessage) {
		t.Errorf("%s:\nours: %+v\nCLU:  %+v", name, got, wantMessage)
	}
	if !equalJSON(t, gotBody, want.Body) {
		t.Errorf("%s:\nours: %s\nCLU:  %s", name, gotBody, want.Body)
	}
}
