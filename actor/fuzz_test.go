package actor_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

// bodies are the seeds for the body of a message.
var bodies = []string{
	`{}`, `{"text": "Pong."}`, `[1, -2.5e10, null, true]`, `NaN`, `{"a": [NaN, -Infinity, "NaN"]}`,
	`{"NaN": Infinity}`, "\ufeff{}", ` "x" `, `"\ud800"`, `{"a": "\"`, "{\"a\": \"\xff\"}", ``, `-NaN`, `{"command_string": "ping"}`,
}

func FuzzEnvelope(f *testing.F) {
	for i, body := range bodies {
		f.Add([]byte(body), "i", "sender", "reply.x", "header", int64(i)*1e9, uint8(i))
	}
	f.Fuzz(func(t *testing.T, body []byte, code, sender, key, header string, seconds int64, kind uint8) {
		headers := amqpx.Table{"message_code": code, "sender": sender, header: oddValue(kind, header, seconds)}
		d := &amqpx.Delivery{Headers: headers, RoutingKey: key, MessageId: sender, Exchange: header, Timestamp: time.Unix(seconds, 0), Body: body}
		for _, nan := range []actor.NaNMode{actor.NaNNull, actor.NaNString, actor.NaNPython} {
			out, err := actor.Envelope{NaN: nan, NaiveTime: kind&1 == 0}.Append([]byte("x"), d)
			if err != nil {
				if string(out) != "x" {
					t.Fatalf("a dropped reply left %q", out)
				}
				continue
			}
			out = out[1:]
			if !utf8.Valid(out) {
				t.Fatalf("%q is not UTF-8", out)
			}
			if nan != actor.NaNPython {
				sameBody(t, out, body, nan)
			}
		}
	})
}

// oddValue returns a header value of any type that is decoded.
func oddValue(kind uint8, text string, n int64) any {
	values := []any{nil, text, []byte(text), n, int32(n), float64(n) / 3, amqpx.Decimal{Scale: uint8(n), Value: int32(n >> 8)}, time.Unix(n, 0),
		[]any{text, n}, amqpx.Table{text: n}, n != 0}
	return values[int(kind)%len(values)]
}

// sameBody checks that the envelope is JSON with the same body.
func sameBody(t *testing.T, out, body []byte, nan actor.NaNMode) {
	t.Helper()
	var envelope struct{ Body any }
	if err := json.Unmarshal(out, &envelope); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	var want any
	if json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &want) != nil {
		return // Python's JSON, for which there are table tests
	}
	if !reflect.DeepEqual(envelope.Body, want) {
		t.Fatalf("mode %d: the body %q became %v", nan, body, envelope.Body)
	}
}

func FuzzParseReply(f *testing.F) {
	for _, body := range bodies {
		f.Add([]byte(body), "i", "id", "id")
	}
	f.Fuzz(func(t *testing.T, body []byte, code, id, correlation string) {
		d := &amqpx.Delivery{Headers: amqpx.Table{"message_code": code, "command_id": id}, CorrelationId: correlation, Body: body}
		r, err := actor.ParseReply(d)
		if _, envelopeErr := (actor.Envelope{}).Append(nil, d); err != envelopeErr {
			t.Fatalf("ParseReply says %v, the envelope %v", err, envelopeErr)
		}
		if err != nil {
			return
		}
		if !json.Valid(r.Body) || id != "" && r.CommandID != id {
			t.Fatalf("%q became %+v", body, r)
		}
		r.Keywords()
		r.ErrorText()
	})
}

func FuzzParseCommand(f *testing.F) {
	for _, body := range bodies {
		f.Add([]byte(body), "id")
	}
	f.Fuzz(func(t *testing.T, body []byte, id string) {
		c, err := actor.ParseCommand(&amqpx.Delivery{Headers: amqpx.Table{"command_id": id}, Body: body})
		if err != nil {
			return
		}
		again, err := actor.ParseCommand(deliver(c.Message()))
		if err != nil || again.CommandString != c.CommandString {
			t.Fatalf("%q became %+v, then %+v, %v", body, c, again, err)
		}
	})
}
