package amqpx

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
)

// source is a network that delivers the bytes of a reader.
type source struct {
	net.Conn
	io.Reader
}

func (s source) Read(p []byte) (int, error) { return s.Reader.Read(p) }

// pieces is a reader that returns only some of the requested bytes at a time.
type pieces struct {
	from io.Reader
	rand *rand.Rand
}

func (p pieces) Read(b []byte) (int, error) {
	return p.from.Read(b[:min(len(b), 1+p.rand.IntN(300))])
}

func readThrough(t *testing.T, from io.Reader) []byte {
	t.Helper()
	all, err := io.ReadAll(newInterceptor(source{Reader: from}, new(atomic.Bool)))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// frame returns a frame on a channel.
func frame(kind byte, channel uint16, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{kind}, channel)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	return append(append(b, payload...), frameEnd)
}

func shortString(s string) []byte { return append([]byte{byte(len(s))}, s...) }

func longString(s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(s))), s...)
}

// content returns the payload of a content header that has only headers and a timestamp.
func content(table []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, 60)
	b = append(b, make([]byte, 10)...)
	b = binary.BigEndian.AppendUint16(b, flagHeaders|timestamps)
	return append(append(b, longString(table)...), 1, 2, 3, 4, 5, 6, 7, 8)
}

func field(name string, kind byte, value ...byte) []byte {
	return slices.Concat(shortString(name), []byte{kind}, value)
}

// generator makes frames as a broker sends them, and what the library must read from them.
type generator struct {
	*rand.Rand
	odd bool // with field types that the library does not know
}

func (g generator) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func (g generator) fields(named bool, depth int) (sent, read []byte) {
	sizes := map[byte]int{'V': 0, 't': 1, 'b': 1, 'B': 1, 's': 2, 'u': 2, 'I': 4, 'i': 4, 'f': 4, 'D': 5, 'l': 8, 'd': 8, 'T': 8, 'L': 8, 'U': 2}
	kinds := "VtbBsuIifDldTSxFA"
	if g.odd {
		kinds += "LULULU"
	}
	for range g.IntN(6) {
		if named {
			name := shortString(string(g.bytes(g.IntN(256))))
			sent, read = append(sent, name...), append(read, name...)
		}
		kind := kinds[g.IntN(len(kinds))]
		known := kind
		if to := strings.IndexByte("LU", kind); to >= 0 {
			known = "ls"[to]
		}
		a := g.bytes(sizes[kind])
		b := a
		switch kind {
		case 'S', 'x':
			a = longString(g.bytes(g.IntN(500)))
			b = a
		case 'F', 'A':
			if depth < maxFieldDepth {
				a, b = g.fields(kind == 'F', depth+1)
			}
			a, b = longString(a), longString(b)
		}
		sent, read = append(append(sent, kind), a...), append(append(read, known), b...)
	}
	return sent, read
}

func (g generator) frame() (sent, read []byte) {
	channel := uint16(g.IntN(3))
	switch g.IntN(5) {
	case 0:
		sent = frame(methodFrame, channel, g.bytes(g.IntN(300)))
	case 1:
		sent = frame(bodyFrame, channel, g.bytes(g.IntN(200_000)))
	case 2:
		sent = frame(heartbeatFrame, 0, nil)
	default:
		a, b := g.fields(true, 0)
		return frame(headerFrame, channel, content(a)), frame(headerFrame, channel, content(b))
	}
	return sent, sent
}

func TestWhatTheLibraryReadsPassesUntouchedHoweverItIsSplit(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		g := generator{rand.New(rand.NewPCG(seed, 0)), seed%2 == 1}
		var sent, want []byte
		for range 40 {
			a, b := g.frame()
			sent, want = append(sent, a...), append(want, b...)
		}
		if seed%2 == 0 && !bytes.Equal(sent, want) {
			t.Fatal("the test changes what it should not")
		}
		for name, from := range map[string]io.Reader{
			"at once": bytes.NewReader(sent), "in pieces": pieces{bytes.NewReader(sent), g.Rand}, "in halves": iotest.HalfReader(bytes.NewReader(sent)),
		} {
			if got := readThrough(t, from); !bytes.Equal(got, want) {
				t.Fatalf("seed %d, %s: %d bytes of %d are read otherwise", seed, name, len(got), len(want))
			}
		}
		// A connection that breaks in the middle of a frame returns everything that arrived.
		cut := g.IntN(len(sent))
		if got := readThrough(t, bytes.NewReader(sent[:cut])); len(got) != cut {
			t.Fatalf("seed %d: %d bytes of %d came", seed, len(got), cut)
		}
	}
}

func TestWhatIsNotAMQPPassesUntouched(t *testing.T) {
	for _, text := range []string{"AMQP\x00\x00\x09\x01", "HTTP/1.1 400 Bad Request\r\n\r\n", "\x02", "\x01\x00\x00\xff\xff\xff\xff and so on", "\x02\x00\x01\xff\xff\xff\xff and so on"} {
		if got := readThrough(t, strings.NewReader(text)); string(got) != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

// nested returns tables nested to the given depth.
func nested(depth int) []byte {
	var b []byte
	for range depth {
		b = field("t", 'F', longString(b)...)
	}
	return b
}

func TestHeadersThatCannotBeReadAreReplaced(t *testing.T) {
	many := bytes.Repeat(field("", 'V'), maxFieldEntries)
	place := field(offsetHeader, 'l', 0, 0, 0, 0, 0, 0, 0, 9)
	for _, c := range []struct {
		name   string
		table  []byte
		reason string
	}{
		{"nested as deep as can be", nested(32), ""},
		{"nested too deep", nested(33), tooDeep},
		{"as many as can be", many, ""},
		{"too many", slices.Concat(many, place), tooManyFields},
		{"an array of too many", slices.Concat(place, field("a", 'A', longString(bytes.Repeat([]byte{'V'}, maxFieldEntries+1))...)), tooManyFields},
		{"a type that nobody knows", field("a", 'z'), malformed},
		{"a name that is cut off", []byte{9, 'a'}, malformed},
		{"a number that is cut off", field("a", 'l', 1, 2), malformed},
		{"a string that is cut off", field("a", 'S', 0, 0, 0, 2, 'x'), malformed},
		{"a nested table that is cut off", field("a", 'F', longString(field("b", 'I', 1))...), malformed},
		{"longer than a frame", field("a", 'S', longString(make([]byte, 5000))...), longerThanFrame},
	} {
		tune := frame(methodFrame, 0, []byte{0, 10, 0, 30, 7, 255, 0, 0, 0x13, 0x88, 0, 0}) // frames of 5000 bytes
		if c.reason != longerThanFrame {
			tune = nil
		}
		before, behind := frame(methodFrame, 1, []byte("before")), frame(bodyFrame, 1, []byte("behind"))
		header := frame(headerFrame, 1, content(c.table))
		want := header
		if c.reason != "" {
			headers := field(poisonHeader, 'S', longString([]byte(c.reason))...)
			if bytes.Contains(c.table, place) {
				headers = append(headers, place...)
			}
			want = frame(headerFrame, 1, content(headers))
		}
		got := readThrough(t, iotest.OneByteReader(bytes.NewReader(slices.Concat(tune, before, header, behind))))
		if !bytes.Equal(got, slices.Concat(tune, before, want, behind)) {
			t.Errorf("%s: %.300q", c.name, got)
		}
		if again := readThrough(t, bytes.NewReader(got)); !bytes.Equal(again, got) {
			t.Errorf("%s: sanitized twice it is another", c.name)
		}
	}
}

func TestPropertiesThatAreMalformedAreReplaced(t *testing.T) {
	for flags, properties := range map[uint16]string{
		1 << 15: "\x05text", 1 << 12: "", flagHeaders: "\x00\x00\x00\x01", timestamps: "1234567", 1 << 2: "", flagContinue: "\x00\x00",
	} {
		payload := binary.BigEndian.AppendUint16(append([]byte{0, 60}, make([]byte, 10)...), flags)
		got := readThrough(t, bytes.NewReader(frame(headerFrame, 1, append(payload, properties...))))
		_, table, ok := findHeaders(got[frameHead : len(got)-1])
		if !ok || !bytes.Contains(table, []byte(malformed)) {
			t.Errorf("flags %#x: %q", flags, got)
		}
	}
}

func TestTheTableOfTheFirstMethodIsSanitized(t *testing.T) {
	start := func(kind byte) []byte {
		return frame(methodFrame, 0, slices.Concat([]byte{0, 10, 0, 10, 0, 9}, longString(field("n", kind, 1, 2, 3, 4, 5, 6, 7, 8)), longString([]byte("PLAIN"))))
	}
	if got := readThrough(t, bytes.NewReader(start('L'))); !bytes.Equal(got, start('l')) {
		t.Errorf("%q", got)
	}
}

// FuzzInterceptor looks for a stream that makes the interceptor fail, that it reads differently when it
// comes in pieces, or that needs to be sanitized twice.
func FuzzInterceptor(f *testing.F) {
	for seed := range uint64(8) {
		a, _ := generator{rand.New(rand.NewPCG(seed, 1)), true}.frame()
		f.Add(a[:min(len(a), 2000)])
	}
	f.Add(frame(headerFrame, 1, content(nested(33))))
	f.Add(frame(methodFrame, 0, []byte{0, 10, 0, 30, 7, 255, 0, 0, 0x10, 0, 0, 0}))
	f.Fuzz(func(t *testing.T, stream []byte) {
		once := readThrough(t, bytes.NewReader(stream))
		if got := readThrough(t, iotest.OneByteReader(bytes.NewReader(stream))); !bytes.Equal(got, once) {
			t.Errorf("in pieces it is %q, at once %q", got, once)
		}
		if got := readThrough(t, bytes.NewReader(once)); !bytes.Equal(got, once) {
			t.Errorf("sanitized twice it is %q, once %q", got, once)
		}
	})
}

// BenchmarkInterceptor measures one delivery: a method, a header of the usual size, a body.
func BenchmarkInterceptor(b *testing.B) {
	var table []byte
	for _, name := range []string{"command_id", "commander_id", "sender", "message_code"} {
		table = append(table, field(name, 'S', longString([]byte("a value of some length"))...)...)
	}
	table = append(table, field("internal", 't', 0)...)
	one := slices.Concat(frame(methodFrame, 1, make([]byte, 60)), frame(headerFrame, 1, content(table)), frame(bodyFrame, 1, make([]byte, 200)))
	const many = 1000
	stream := bytes.Repeat(one, many)
	for _, through := range []string{"interceptor", "nothing"} {
		b.Run(through, func(b *testing.B) {
			from := bytes.NewReader(stream)
			var r io.Reader = newInterceptor(source{Reader: from}, new(atomic.Bool))
			if through == "nothing" {
				r = source{Reader: from}
			}
			p := make([]byte, 4096)
			b.ReportAllocs()
			for b.Loop() {
				from.Reset(stream)
				for n := 0; n < len(stream); {
					k, err := r.Read(p)
					if err != nil {
						b.Fatal(err)
					}
					n += k
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/delivery")
		})
	}
}
