package amqpx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// deliver returns the frame of basic.deliver.
func deliver(channel uint16, tag string, number uint64, exchange, key string) []byte {
	payload := append([]byte(deliverMethod), shortString(tag)...)
	payload = append(binary.BigEndian.AppendUint64(payload, number), 1) // redelivered
	return frame(methodFrame, channel, slices.Concat(payload, shortString(exchange), shortString(key)))
}

// properties returns a content header for a body of that size.
func properties(size uint64, flags uint16, values ...[]byte) []byte {
	b := binary.BigEndian.AppendUint64([]byte{0, 60, 0, 0}, size)
	return append(binary.BigEndian.AppendUint16(b, flags), slices.Concat(values...)...)
}

// everyField returns a table with a field of each type, and the values read from it.
func everyField() (fields []byte, want amqp.Table) {
	list := slices.Concat([]byte{'t', 0}, []byte{'b', 0xfe}, []byte{'V'})
	fields = slices.Concat(
		field("void", 'V'), field("yes", 't', 1), field("int8", 'b', 0xff), field("uint8", 'B', 0xff),
		field("int16", 's', 0xff, 0xfe), field("uint16", 'u', 0xff, 0xfe), field("int32", 'I', 0xff, 0xff, 0xff, 0xfe),
		field("uint32", 'i', 0xff, 0xff, 0xff, 0xfe), field("float", 'f', 0x3f, 0x80, 0, 0),
		field("double", 'd', 0x40, 0, 0, 0, 0, 0, 0, 0), field("decimal", 'D', 2, 0xff, 0xff, 0xff, 0xfe),
		field("int64", 'l', 0, 0, 0, 1, 0, 0, 0, 0), field("long", 'L', 0, 0, 0, 1, 0, 0, 0, 0), field("short", 'U', 0xff, 0xfe),
		field("time", 'T', 0, 0, 0, 0, 0, 0, 0, 7), field("text", 'S', longString([]byte("a text"))...),
		field("bytes", 'x', longString([]byte{1, 2})...), field("table", 'F', longString(field("in", 't', 0))...),
		field("list", 'A', longString(list)...), field("empty list", 'A', longString(nil)...),
	)
	return fields, amqp.Table{
		"void": nil, "yes": true, "int8": int8(-1), "uint8": uint8(255), "int16": int16(-2), "uint16": uint16(0xfffe),
		"int32": int32(-2), "uint32": uint32(0xfffffffe), "float": float32(1), "double": float64(2),
		"decimal": amqp.Decimal{Scale: 2, Value: -2}, "int64": int64(1 << 32), "long": int64(1 << 32), "short": int16(-2),
		"time": time.Unix(7, 0), "text": "a text", "bytes": []byte{1, 2}, "table": amqp.Table{"in": false},
		"list": []any{false, int8(-2), nil}, "empty list": []any(nil),
	}
}

// readAll reads everything through an interceptor with consumers with these tags. It returns what
// the library gets and what each consumer gets.
func readAll(from io.Reader, tags ...string) (library []byte, come map[string][]*amqp.Delivery, err error) {
	ic := newInterceptor(source{Reader: from}, new(atomic.Bool))
	inboxes := map[string]*inbox{}
	for _, tag := range tags {
		inboxes[tag] = ic.register(tag, nil)
	}
	library, err = io.ReadAll(ic)
	come = map[string][]*amqp.Delivery{}
	for tag, b := range inboxes {
		if got := b.take(nil); len(got) > 0 {
			come[tag] = got
		}
	}
	return library, come, err
}

func TestADeliveryHasEveryPropertyThatTheBrokerSent(t *testing.T) {
	fields, headers := everyField()
	const flags = shortStrings&^(1<<2) | flagHeaders | octets | timestamps
	head := properties(5, flags, shortString("type"), shortString("encoding"), longString(fields), []byte{2, 9},
		shortString("correlation"), shortString("reply to"), shortString("expiration"), shortString("message"),
		[]byte{0, 0, 0, 0, 0, 0, 0, 9}, shortString("kind"), shortString("user"), shortString("app"))
	want := &amqp.Delivery{
		Acknowledger: (*amqp.Channel)(nil), ConsumerTag: "replies", DeliveryTag: 77, Redelivered: true, Exchange: "an exchange", RoutingKey: "a.key",
		ContentType: "type", ContentEncoding: "encoding", Headers: headers, DeliveryMode: 2, Priority: 9, CorrelationId: "correlation",
		ReplyTo: "reply to", Expiration: "expiration", MessageId: "message", Timestamp: time.Unix(9, 0), Type: "kind", UserId: "user", AppId: "app",
		Body: []byte("hello"),
	}
	stream := slices.Concat(deliver(3, "replies", 77, "an exchange", "a.key"), frame(headerFrame, 3, head),
		frame(bodyFrame, 3, []byte("hel")), frame(bodyFrame, 3, nil), frame(bodyFrame, 3, []byte("lo")))
	for name, from := range map[string]io.Reader{"at once": bytes.NewReader(stream), "octet by octet": iotest.OneByteReader(bytes.NewReader(stream))} {
		library, come, err := readAll(from, "replies")
		if err != nil || len(library) > 0 || len(come["replies"]) != 1 {
			t.Fatalf("%s: the library gets %q, the consumer %d deliveries, %v", name, library, len(come["replies"]), err)
		}
		if got := come["replies"][0]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, want\n%+v", name, got, want)
		}
	}
}

func TestTheLibraryGetsEverythingButDeliveries(t *testing.T) {
	small := func(channel uint16, tag string, number uint64) []byte {
		return slices.Concat(deliver(channel, tag, number, "x", "k"), frame(headerFrame, channel, properties(1, 0)), frame(bodyFrame, channel, []byte{byte(number)}))
	}
	heartbeat := frame(heartbeatFrame, 0, nil)
	cancelled := frame(methodFrame, 1, slices.Concat([]byte{0, 60, 0, 31}, shortString("a")))
	answer := frame(methodFrame, 2, bytes.Repeat([]byte{7}, 2000))
	// The frames of two channels are interleaved, as a broker may send them.
	first, second := slices.Concat(deliver(1, "a", 3, "x", "k")), slices.Concat(deliver(2, "b", 4, "x", "k"))
	rest := func(channel uint16, body byte) []byte {
		return slices.Concat(frame(headerFrame, channel, properties(1, 0)), frame(bodyFrame, channel, []byte{body}))
	}
	stream := slices.Concat(heartbeat, small(1, "a", 1), heartbeat, small(3, "other", 9), answer, small(2, "b", 2),
		first, second, heartbeat, rest(2, 4), rest(1, 3), cancelled)
	want := slices.Concat(heartbeat, heartbeat, small(3, "other", 9), answer, heartbeat, cancelled)
	for name, from := range map[string]io.Reader{
		"at once": bytes.NewReader(stream), "octet by octet": iotest.OneByteReader(bytes.NewReader(stream)),
		"in pieces": pieces{bytes.NewReader(stream), rand.New(rand.NewPCG(1, 2))},
	} {
		library, come, err := readAll(from, "a", "b")
		if err != nil || !bytes.Equal(library, want) {
			t.Errorf("%s: the library gets %q, want %q; %v", name, library, want, err)
		}
		for tag, want := range map[string][]byte{"a": {1, 3}, "b": {2, 4}} {
			var got []byte
			for _, d := range come[tag] {
				got = append(got, d.Body...)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: consumer %s got %v, want %v", name, tag, got, want)
			}
		}
	}
}

func TestADeliveryThatCannotBeReadSaysSo(t *testing.T) {
	stream := slices.Concat(deliver(1, "replies", 1, "x", "k"), frame(headerFrame, 1, properties(0, flagHeaders, longString(nested(40)))))
	_, come, err := readAll(bytes.NewReader(stream), "replies")
	if err != nil || len(come["replies"]) != 1 || poisonReason(come["replies"][0]) != tooDeep {
		t.Errorf("%+v, %v", come, err)
	}
}

func TestAMalformedDeliveryEndsTheConnection(t *testing.T) {
	method, head := deliver(1, "replies", 1, "x", "k"), frame(headerFrame, 1, properties(2, 0))
	body := frame(bodyFrame, 1, []byte("no"))
	broken := func(frame []byte) []byte { return append(slices.Clone(frame[:len(frame)-1]), 0) }
	for name, stream := range map[string][]byte{
		"a body first":       slices.Concat(method, body),
		"two headers":        slices.Concat(method, head, head),
		"a header's end":     slices.Concat(method, broken(head)),
		"a body's end":       slices.Concat(method, head, broken(body)),
		"a header too short": slices.Concat(method, frame(headerFrame, 1, []byte{0, 60})),
	} {
		if _, come, err := readAll(bytes.NewReader(stream), "replies"); !errors.Is(err, errFrame) || len(come) > 0 {
			t.Errorf("%s: %+v, %v", name, come, err)
		}
	}
}

func TestAMethodInBetweenDropsADelivery(t *testing.T) {
	flow := frame(methodFrame, 1, []byte{0, 20, 0, 20, 1})
	stream := slices.Concat(deliver(1, "replies", 1, "x", "k"), flow, deliver(1, "replies", 2, "x", "k"), frame(headerFrame, 1, properties(0, 0)))
	library, come, err := readAll(bytes.NewReader(stream), "replies")
	if err != nil || !bytes.Equal(library, flow) || len(come["replies"]) != 1 || come["replies"][0].DeliveryTag != 2 {
		t.Errorf("the library gets %q, the consumer %+v; %v", library, come, err)
	}
}

// A receiver may keep one text, which must not keep the others in memory if they are long.
func TestLongHeadersShareNoMemory(t *testing.T) {
	for _, long := range []int{10, 10_000} {
		table := slices.Concat(field("long", 'S', longString([]byte(strings.Repeat("x", long)))...), field("text", 'S', longString([]byte("kept"))...))
		stream := slices.Concat(deliver(1, "replies", 1, "x", "a.key"), frame(headerFrame, 1, properties(0, flagHeaders, longString(table))))
		_, come, err := readAll(bytes.NewReader(stream), "replies")
		if err != nil || len(come["replies"]) != 1 {
			t.Fatal(come, err)
		}
		d := come["replies"][0]
		if d.RoutingKey != "a.key" || d.Headers["text"] != "kept" || len(d.Headers["long"].(string)) != long {
			t.Errorf("%+v", d)
		}
	}
}

// silent is a connection that records its deadlines.
type silent struct {
	source
	deadlines []time.Time
}

func (s *silent) SetReadDeadline(t time.Time) error {
	s.deadlines = append(s.deadlines, t)
	return nil
}

func TestDeliveriesMoveTheDeadlineOfTheBrokersSilence(t *testing.T) {
	one := slices.Concat(deliver(1, "replies", 1, "x", "k"), frame(headerFrame, 1, properties(0, 0)))
	s := &silent{source: source{Reader: bytes.NewReader(slices.Concat(one, one))}}
	ic := newInterceptor(s, new(atomic.Bool))
	ic.register("replies", nil)
	const silence = time.Minute
	if err := ic.SetReadDeadline(time.Now().Add(silence)); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	if _, err := io.ReadAll(ic); err != nil {
		t.Fatal(err)
	}
	if len(s.deadlines) != 2 || s.deadlines[1].Before(before.Add(silence-time.Second)) {
		t.Errorf("the deadlines are %v", s.deadlines)
	}
}

// FuzzDeliveries looks for a stream over which an interceptor with consumers fails, or that it reads
// differently when it comes in pieces.
func FuzzDeliveries(f *testing.F) {
	fields, _ := everyField()
	f.Add(slices.Concat(deliver(1, "replies", 1, "x", "k"), frame(headerFrame, 1, properties(2, flagHeaders|timestamps, longString(fields), make([]byte, 8))), frame(bodyFrame, 1, []byte("ab"))))
	f.Add(slices.Concat(deliver(1, "replies", 1, "x", "k"), frame(headerFrame, 1, properties(2, 0xfffe))))
	f.Fuzz(func(t *testing.T, stream []byte) {
		library, come, err := readAll(bytes.NewReader(stream), "replies")
		again, comeAgain, errAgain := readAll(iotest.OneByteReader(bytes.NewReader(stream)), "replies")
		// NaN equals nothing, but its text does.
		same := slices.EqualFunc(come["replies"], comeAgain["replies"], func(a, b *amqp.Delivery) bool {
			return fmt.Sprintf("%+v", *a) == fmt.Sprintf("%+v", *b)
		})
		if !bytes.Equal(library, again) || !same || !errors.Is(errAgain, err) {
			t.Errorf("at once the library gets %q, the consumer %+v, %v; in pieces %q, %+v, %v", library, come, err, again, comeAgain, errAgain)
		}
	})
}

// BenchmarkDeliveries measures a delivery of the usual size until its consumer has it.
func BenchmarkDeliveries(b *testing.B) {
	var table []byte
	for _, name := range []string{"command_id", "commander_id", "sender", "message_code"} {
		table = append(table, field(name, 'S', longString([]byte("a value of some length"))...)...)
	}
	table = append(table, field("internal", 't', 0)...)
	head := properties(200, 1<<15|flagHeaders|1<<12|1<<10|1<<7|timestamps, shortString("application/json"), longString(table), []byte{1},
		shortString("0f5b9a0c-1111-2222-3333-444455556666"), shortString("0f5b9a0c-1111-2222-3333-444455556666"), make([]byte, 8))
	one := slices.Concat(deliver(1, "replies", 1, "sdss_exchange", "reply.bridge.dome"), frame(headerFrame, 1, head), frame(bodyFrame, 1, make([]byte, 200)))
	const many = 1000
	stream := bytes.Repeat(one, many)
	from := bytes.NewReader(stream)
	ic := newInterceptor(source{Reader: from}, new(atomic.Bool))
	replies := ic.register("replies", nil)
	var come []*amqp.Delivery
	b.ReportAllocs()
	for b.Loop() {
		from.Reset(stream)
		ic.err = nil
		ic.raw = false
		if n, err := ic.Read(make([]byte, 4096)); n > 0 || err != io.EOF {
			b.Fatal(n, err)
		}
		if come = replies.take(come); len(come) != many {
			b.Fatal(len(come))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/delivery")
}
