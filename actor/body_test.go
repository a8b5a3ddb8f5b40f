package actor_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

func gzipped(text string) []byte {
	return packed(text, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

func deflated(text string) []byte {
	return packed(text, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
}

func packed(text string, pack func(io.Writer) io.WriteCloser) []byte {
	var b bytes.Buffer
	w := pack(&b)
	if _, err := io.WriteString(w, text); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestABodyIsDecompressedUpToABound(t *testing.T) {
	const text = `{"a": "\u00fc", "n": NaN}`
	whole := gzipped(text)
	full := `"` + strings.Repeat("x", 16<<20-2) + `"`
	for _, test := range []struct {
		name, encoding string
		body           []byte
		want           error
	}{
		{"gzip", "gzip", whole, nil},
		{"gzip in capitals", "GZIP", whole, nil},
		{"gzip by its old name", "x-gzip", whole, nil},
		{"two pieces", "gzip", append(gzipped(text[:9]), gzipped(text[9:])...), nil},
		{"deflate", "deflate", deflated(text), nil},
		{"utf-8 is not a compression", "utf-8", []byte(text), nil},
		{"an unknown encoding", "rot13", []byte(text), nil},
		{"no gzip at all", "gzip", []byte(text), actor.ErrNotDecoded},
		{"empty", "gzip", nil, actor.ErrNotDecoded},
		{"cut off", "gzip", whole[:len(whole)-1], actor.ErrNotDecoded},
		{"another byte", "gzip", append(whole[:len(whole)-5:len(whole)-5], append([]byte{^whole[len(whole)-5]}, whole[len(whole)-4:]...)...), actor.ErrNotDecoded},
		{"no deflate at all", "deflate", []byte(text), actor.ErrNotDecoded},
		{"nothing in it", "gzip", gzipped(""), actor.ErrNoBody},
		{"not JSON", "gzip", gzipped("{"), actor.ErrNotJSON},
		{"as long as can be", "gzip", gzipped(full), nil},
		{"longer", "gzip", gzipped(full + " "), actor.ErrTooLong},
		{"a bomb", "deflate", deflated(strings.Repeat(" ", 40<<20)), actor.ErrTooLong},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := &amqpx.Delivery{Headers: amqpx.Table{"message_code": "i"}, ContentEncoding: test.encoding, Body: test.body}
			dst, at, err := actor.Envelope{NaN: actor.NaNPython}.AppendWithOffset([]byte("before"), d)
			if err != test.want {
				t.Fatalf("the envelope gives %v, want %v", err, test.want)
			}
			if _, err := actor.ParseReply(d); err != test.want {
				t.Errorf("ParseReply gives %v, want %v", err, test.want)
			}
			if err != nil {
				if string(dst) != "before" {
					t.Errorf("it leaves %.100q", dst)
				}
				return
			}
			if got := string(dst[at : len(dst)-1]); got != text && got != full {
				t.Errorf("the body is %.100q", got)
			}
		})
	}
}

func TestACommandIsDecompressedToo(t *testing.T) {
	d := &amqpx.Delivery{ContentEncoding: "gzip", Body: gzipped(`{"command_string": "open"}`)}
	if c, err := actor.ParseCommand(d); err != nil || c.CommandString != "open" {
		t.Errorf("%+v %v", c, err)
	}
	d.Body = d.Body[:20]
	if _, err := actor.ParseCommand(d); err == nil || !strings.Contains(err.Error(), string(actor.ErrNotDecoded)) {
		t.Errorf("a broken one gives %v", err)
	}
}

func TestAnAMQP10BodyThatIsNotATextIsDroppedByItsKind(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       error
	}{
		{"a number", "\x00Sw\x54\x01", actor.ErrNotString},
		{"a map", "\x00Sw\xc1\x05\x02\xa1\x01a\x41", actor.ErrNotString},
		{"a list of lists", "\x00Sv\xc0\x02\x01\x41", actor.ErrSequence},
		{"nothing that is AMQP 1.0", "hello", actor.ErrNotJSON},
		{"JSON of that type", "{}", nil},
	} {
		d := &amqpx.Delivery{Headers: amqpx.Table{"message_code": "i"}, Type: "amqp-1.0", Body: []byte(test.body)}
		if _, err := (actor.Envelope{}).Append(nil, d); err != test.want {
			t.Errorf("%s gives %v, want %v", test.name, err, test.want)
		}
	}
}
