package actor_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

func envelope(t *testing.T, e actor.Envelope, d *amqpx.Delivery) string {
	t.Helper()
	if d.Headers == nil {
		d.Headers = amqpx.Table{"message_code": "i"}
	}
	if d.Body == nil {
		d.Body = []byte(`{}`)
	}
	b, err := e.Append(nil, d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheEnvelopeHasCLUsKeysInCLUsOrder(t *testing.T) {
	got := envelope(t, actor.Envelope{}, &amqpx.Delivery{
		Headers:       amqpx.Table{"sender": "lvmecp", "message_code": ":", "internal": false, "command_id": "id-1", "commander_id": "c.lvmecp"},
		CorrelationId: "id-1",
		Exchange:      "sdss_exchange",
		RoutingKey:    "reply.c.lvmecp",
		MessageId:     "m1",
		Timestamp:     time.Unix(1685042705, 0),
		Body:          []byte(" {\"text\":  \"Pong.\"}\n"),
	})
	want := `{"headers": {"command_id": "id-1", "commander_id": "c.lvmecp", "internal": false, "message_code": ":", "sender": "lvmecp"}, ` +
		`"exchange": "sdss_exchange", "message_id": "m1", "routing_key": "reply.c.lvmecp", "timestamp": "2023-05-25T19:25:05+00:00", ` +
		`"body": {"text":  "Pong."}}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMissingPropertiesAreNull(t *testing.T) {
	got := envelope(t, actor.Envelope{}, &amqpx.Delivery{})
	want := `{"headers": {"message_code": "i"}, "exchange": "", "message_id": null, "routing_key": "", "timestamp": null, "body": {}}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTimestampsAreWrittenAsPythonDoes(t *testing.T) {
	east := time.FixedZone("east", 2*3600)
	for _, test := range []struct {
		time  time.Time
		naive bool
		want  any
	}{
		{time.Unix(1685042705, 0), false, "2023-05-25T19:25:05+00:00"},
		{time.Unix(1685042705, 999), false, "2023-05-25T19:25:05+00:00"},
		{time.Unix(1685042705, 0).In(east), false, "2023-05-25T19:25:05+00:00"},
		{time.Unix(1685042705, 0), true, "2023-05-25T19:25:05"},
		{time.Unix(0, 0), false, "1970-01-01T00:00:00+00:00"},
		{time.Unix(-1, 0), false, "1969-12-31T23:59:59+00:00"},
		{time.Time{}, false, nil},
		{time.Unix(1685042705000, 0), false, nil}, // milliseconds instead of seconds: the year 55366
		{time.Unix(math.MaxInt64, 0), false, nil},
		{time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), false, "9999-12-31T23:59:59+00:00"},
	} {
		var got struct{ Timestamp any }
		text := envelope(t, actor.Envelope{NaiveTime: test.naive}, &amqpx.Delivery{Timestamp: test.time})
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if got.Timestamp != test.want {
			t.Errorf("%v: %v, want %v", test.time, got.Timestamp, test.want)
		}
	}
}

func TestHeaderTypesThatJSONLacksAreConverted(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{nil, `null`},
		{true, `true`},
		{int8(-8), `-8`}, {uint8(200), `200`},
		{int16(-300), `-300`}, {uint16(60000), `60000`},
		{int32(-70000), `-70000`}, {uint32(4000000000), `4000000000`},
		{int64(1099511627776), `1099511627776`}, {uint64(math.MaxUint64), `18446744073709551615`},
		{5, `5`},
		{float32(0.1), `0.10000000149011612`}, {1.5, `1.5`}, {1e-7, `1e-07`}, {1e22, `1e+22`}, {math.Copysign(0, -1), `-0`},
		{math.NaN(), `null`}, {math.Inf(-1), `null`},
		{amqpx.Decimal{Scale: 2, Value: 314}, `3.14`},
		{amqpx.Decimal{Scale: 3, Value: -5}, `-0.005`},
		{amqpx.Decimal{Scale: 0, Value: 7}, `7`},
		{amqpx.Decimal{Scale: 255, Value: 1}, `1e-255`},
		{[]byte("\x00\xffclu"), `"AP9jbHU="`},
		{time.Unix(1685042705, 0), `"2023-05-25T19:25:05+00:00"`},
		{[]any{int32(1), "two", nil, amqpx.Table{"b": true, "a": []byte{}}}, `[1, "two", null, {"a": "", "b": true}]`},
		{amqpx.Table{}, `{}`},
		{struct{}{}, `null`}, // never decoded
		{"ünï ☃ 𝄞", `"ünï ☃ 𝄞"`},
		{"a\"\\\n\r\t\x01</b>&\x7f", `"a\"\\\n\r\t\u0001</b>&` + "\x7f" + `"`},
		{"bad \xff\xfe utf-8 \xe2\x82", `"YmFkIP/+IHV0Zi04IOKC"`},
	} {
		got := envelope(t, actor.Envelope{}, &amqpx.Delivery{Headers: amqpx.Table{"message_code": "i", "x": test.value}})
		want := `{"headers": {"message_code": "i", "x": ` + test.want + `}, "exchange": "", "message_id": null, "routing_key": "", "timestamp": null, "body": {}}`
		if got != want {
			t.Errorf("%T %v:\ngot  %s\nwant %s", test.value, test.value, got, want)
		}
	}
}

func TestNaNIsWrittenAsConfigured(t *testing.T) {
	for _, test := range []struct{ body, null, quoted string }{
		{`{"a": 1}`, `{"a": 1}`, `{"a": 1}`},
		{`NaN`, `null`, `"NaN"`},
		{`-Infinity`, `null`, `"-Infinity"`},
		{`{"nan": NaN, "inf": Infinity, "ninf": -Infinity}`, `{"nan": null, "inf": null, "ninf": null}`,
			`{"nan": "NaN", "inf": "Infinity", "ninf": "-Infinity"}`},
		{`{"a": [1, [NaN, {"b": -Infinity}], -2]}`, `{"a": [1, [null, {"b": null}], -2]}`, `{"a": [1, ["NaN", {"b": "-Infinity"}], -2]}`},
		{`{"text": "NaN and Infinity, \"NaN\" \\", "x": NaN}`, `{"text": "NaN and Infinity, \"NaN\" \\", "x": null}`,
			`{"text": "NaN and Infinity, \"NaN\" \\", "x": "NaN"}`},
		{`{"NaN": "Infinity"}`, `{"NaN": "Infinity"}`, `{"NaN": "Infinity"}`},
		{"\ufeff[Infinity]", `[null]`, `["Infinity"]`},
	} {
		for _, mode := range []struct {
			name string
			want string
		}{{"null", test.null}, {"string", test.quoted}, {"python", ""}} {
			nan, err := actor.ParseNaNMode(mode.name)
			if err != nil {
				t.Fatal(err)
			}
			want := mode.want
			if mode.name == "python" {
				want = string([]byte(test.body)[len(test.body)-len(trimBOM(test.body)):])
			}
			got := envelope(t, actor.Envelope{NaN: nan}, &amqpx.Delivery{Body: []byte(test.body)})
			want = `{"headers": {"message_code": "i"}, "exchange": "", "message_id": null, "routing_key": "", "timestamp": null, "body": ` + want + `}`
			if got != want {
				t.Errorf("%s, %s:\ngot  %s\nwant %s", test.body, mode.name, got, want)
			}
		}
	}
}

func trimBOM(s string) string {
	if len(s) >= 3 && s[:3] == "\ufeff" {
		return s[3:]
	}
	return s
}

func TestAnUnknownNaNModeIsRefused(t *testing.T) {
	if _, err := actor.ParseNaNMode("NULL"); err == nil {
		t.Error("NULL was accepted")
	}
}

func TestAnErrorIsAFailedReplyOfTheBridge(t *testing.T) {
	now := time.Unix(1685042705, 0)
	for id, want := range map[string]string{"": "null", "id-1": `"id-1"`} {
		got := string(actor.Envelope{}.AppendError(nil, "bridge", id, `say "consumer"`, now))
		want = `{"headers": {"command_id": ` + want + `, "commander_id": null, "internal": false, "message_code": "f", "sender": "bridge"}, ` +
			`"exchange": "", "message_id": null, "routing_key": "reply.bridge", "timestamp": "2023-05-25T19:25:05+00:00", ` +
			`"body": {"error":"say \"consumer\""}}`
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}
