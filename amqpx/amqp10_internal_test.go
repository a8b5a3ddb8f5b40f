package amqpx

import (
	"reflect"
	"testing"
	"time"

	amqp10 "github.com/Azure/go-amqp"
	amqp "github.com/rabbitmq/amqp091-go"
)

// encoded10 is a message as a client of AMQP 1.0 encodes it, one section after the other.
func encoded10(t *testing.T, m *amqp10.Message) string {
	t.Helper()
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestApplicationPropertiesBecomeHeaders(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_123)
	m := &amqp10.Message{ApplicationProperties: map[string]any{
		"ulong": uint64(1<<63 + 5), "small": uint64(7), "none": uint64(0), "long": int64(-3), "far": int64(-1 << 40), "int": int32(-70_000), "uint": uint32(1 << 31),
		"short": int16(-300), "ushort": uint16(60_000), "byte": int8(-8), "ubyte": uint8(200), "yes": true, "no": false, "float": float32(1.5), "double": 2.5,
		"text": "ü", "bytes": []byte{0, 255}, "time": now, "uuid": amqp10.UUID{1, 2, 15: 3}, "nothing": nil, "taken": "new",
	}}
	d := &amqp.Delivery{Headers: amqp.Table{properties10: encoded10(t, m), "taken": "old"}}
	decode10(d)
	want := amqp.Table{
		"ulong": uint64(1<<63 + 5), "small": uint64(7), "none": uint64(0), "long": int64(-3), "far": int64(-1 << 40), "int": int32(-70_000), "uint": uint32(1 << 31),
		"short": int16(-300), "ushort": uint16(60_000), "byte": int8(-8), "ubyte": uint8(200), "yes": true, "no": false, "float": float32(1.5), "double": 2.5,
		"text": "ü", "bytes": []byte{0, 255}, "time": now, "uuid": "urn:uuid:01020000-0000-0000-0000-000000000003", "nothing": nil, "taken": "old",
	}
	for name := range want {
		if !reflect.DeepEqual(d.Headers[name], want[name]) {
			t.Errorf("%s is %T %v, want %T %v", name, d.Headers[name], d.Headers[name], want[name], want[name])
		}
	}
	if len(d.Headers) != len(want) {
		t.Errorf("the headers are %v", d.Headers)
	}
}

func TestABodyOfAMQP10IsDecodedIfItIsTextOrBytes(t *testing.T) {
	for _, c := range []struct {
		message amqp10.Message
		body    string // "" if it is unchanged
		kind    string
	}{
		{amqp10.Message{Value: `{"a": 1}`}, `{"a": 1}`, ""},
		{amqp10.Message{Value: []byte("bytes")}, "bytes", ""},
		{amqp10.Message{Value: "text", Footer: amqp10.Annotations{"x": "y"}}, "text", ""},
		{amqp10.Message{Data: [][]byte{[]byte(`: 1}`), []byte(`{"a"`)}}, `{"a": 1}`, ""},
		{amqp10.Message{Value: map[string]any{"a": int64(1)}}, "", "value"},
		{amqp10.Message{Value: int64(1)}, "", "value"},
		{amqp10.Message{Sequence: [][]any{{"a", int64(1)}}}, "", "sequence"},
	} {
		encoded := encoded10(t, &c.message)
		d := &amqp.Delivery{Type: type10, Body: []byte(encoded)}
		decode10(d)
		want := c.body
		if want == "" {
			want = encoded
		}
		if got := UndecodedBody(d); string(d.Body) != want || got != c.kind {
			t.Errorf("%+v: %q, a %q; want %q, a %q", c.message, d.Body, got, want, c.kind)
		}
	}
	for _, text := range []string{"", "{}", "\x00Sw", "\x00Sw\xa1\x05ab", "\x00Sp\x45"} {
		d := &amqp.Delivery{Type: type10, Body: []byte(text)}
		decode10(d)
		if string(d.Body) != text || UndecodedBody(d) != "" {
			t.Errorf("%q becomes %q, a %q", text, d.Body, UndecodedBody(d))
		}
	}
}

// FuzzDecode10 looks for input that makes the decoder fail, or that decodes to more than its length
// could hold.
func FuzzDecode10(f *testing.F) {
	f.Add([]byte("\x00St\xc1\x05\x02\xa1\x01a\x41"), []byte("\x00Sw\xa1\x02{}"))
	f.Add([]byte("\x00St\xd1\x00\x00\x00\x10\x00\x00\x00\x02\xa1\x01a\xf0\x00\x00\x00\x06\x00\x00\x00\x01\x50\x05"), []byte("\x00Sv\xc0\x01\x00"))
	f.Add([]byte("\x00St\xc1\x0c\x02\xa1\x01a\xe0\x06\x03\xc0\x01\x00\x01\x00"), []byte("\x00\x80\x00\x00\x00\x00\x00\x00\x00\x75\xa0\x01x"))
	f.Fuzz(func(t *testing.T, properties, body []byte) {
		d := &amqp.Delivery{Type: type10, Body: body, Headers: amqp.Table{properties10: string(properties)}}
		decode10(d)
		if n := elements(map[string]any(d.Headers)); n > len(properties)+1 {
			t.Errorf("%d bytes became %d values", len(properties), n)
		}
		if len(d.Body) > len(body) {
			t.Errorf("%d bytes became %d", len(body), len(d.Body))
		}
		UndecodedBody(d)
	})
}

func elements(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			n += 1 + elements(e)
		}
	case amqp.Table:
		return elements(map[string]any(v))
	case []any:
		for _, e := range v {
			n += 1 + elements(e)
		}
	}
	return n
}
