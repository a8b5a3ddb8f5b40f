package engine

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
)

// pack compresses with the library's helper.
func pack(s string) string {
	p, err := wsflate.DefaultHelper.Compress([]byte(s))
	if err != nil {
		panic(err)
	}
	return string(p)
}

// deflated returns a client's compressed text in one frame, or its first fragment.
func deflated(fin bool, text string) []byte { return marked(fin, ws.OpText, pack(text)) }

// marked returns a client's frame with RSV1.
func marked(fin bool, op ws.OpCode, payload string) []byte {
	f := masked(fin, op, payload)
	f[0] |= rsv1
	return f
}

// parseDeflated is parse for a connection that negotiated compression.
func parseDeflated(limit int, pieces ...[]byte) (*parser, []string, *closeError) {
	p, r := &parser{deflate: newDeflate(limit)}, new(record)
	for _, piece := range pieces {
		if _, err := p.feed(bytes.Clone(piece), limit, r); err != nil {
			return p, r.lines, err
		}
	}
	return p, r.lines, nil
}

func (r *record) wantsMessages() bool { return !r.closing }

func TestAMessageOnAClosingConnectionIsNotInflated(t *testing.T) {
	p, r := &parser{deflate: newDeflate(100)}, &record{closing: true}
	garbage := marked(true, ws.OpText, "hello, not TLS")
	if _, err := p.feed(join(garbage, masked(true, ws.OpPing, "p")), 100, r); err != nil || fmt.Sprint(r.lines) != `[control 9 "p"]` || !p.idle() {
		t.Fatalf("got %v, %v", r.lines, err)
	}
}

func TestTheParserInflatesTheSameMessagesHoweverTheBytesAreSplit(t *testing.T) {
	long := strings.Repeat("position: 12.5; ", 5000)
	packed := pack(long)
	stream := join(
		deflated(true, "hello"),
		text("plain"),
		deflated(true, ""),
		marked(true, ws.OpText, ""),
		marked(false, ws.OpText, packed[:1]), masked(false, ws.OpContinuation, ""), masked(true, ws.OpPing, "p"), masked(true, ws.OpContinuation, packed[1:]),
		masked(false, ws.OpText, "sni"), masked(true, ws.OpContinuation, "pped"),
		marked(true, ws.OpBinary, pack("\xff\x00")),
		deflated(true, "größer"),
	)
	want := []string{`message 1 "hello"`, `message 1 "plain"`, `message 1 ""`, `message 1 ""`, `control 9 "p"`,
		fmt.Sprintf("message 1 %q", long), `message 1 "snipped"`, `message 2 "\xff\x00"`, `message 1 "größer"`}
	for _, pieces := range [][][]byte{{stream}, split(stream)} {
		p, got, err := parseDeflated(1<<20, pieces...)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("in %d pieces: %.200q, %v", len(pieces), got, err)
		}
		if !p.idle() {
			t.Errorf("in %d pieces: the parser still holds something", len(pieces))
		}
	}
}

// The examples of RFC 7692, 7.2.3: Hello in one block, without references to an earlier
// window, stored, and with a final block of its own.
func TestTheExamplesOfRFC7692AreInflated(t *testing.T) {
	for _, payload := range []string{
		"\xf2\x48\xcd\xc9\xc9\x07\x00",
		"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
		"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
		"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
	} {
		_, got, err := parseDeflated(100, marked(true, ws.OpText, payload))
		if err != nil || fmt.Sprint(got) != `[message 1 "Hello"]` {
			t.Errorf("% x: %v, %v", payload, got, err)
		}
	}
}

func TestTheParserRejectsCompressionThatTheRFCForbids(t *testing.T) {
	const limit = 1000
	packed := pack(strings.Repeat("x", 500))
	for _, c := range []struct {
		name  string
		bytes []byte
		code  ws.StatusCode
	}{
		{"a compressed ping", marked(true, ws.OpPing, pack("x")), 1002},
		{"a compressed close", marked(true, ws.OpClose, ""), 1002},
		{"a continuation with RSV1", join(marked(false, ws.OpText, packed[:2]), marked(true, ws.OpContinuation, packed[2:])), 1002},
		{"RSV1 on the second fragment only", join(masked(false, ws.OpText, "x"), marked(true, ws.OpContinuation, packed)), 1002},
		{"a new message within one", join(marked(false, ws.OpText, packed), marked(true, ws.OpText, packed)), 1002},
		{"a compressed reserved opcode", marked(true, 3, packed), 1002},
		{"RSV2", func() []byte { f := deflated(true, "x"); f[0] |= 0x20; return f }(), 1002},
		{"RSV3 alone", func() []byte { f := text("x"); f[0] |= 0x10; return f }(), 1002},
		{"no deflate data", marked(true, ws.OpText, "hello, not TLS"), 1007},
		{"data that is cut", marked(true, ws.OpText, packed[:len(packed)-3]), 1007},
		{"a reference to before the start", marked(true, ws.OpText, "\xf2\x00\x11\x00\x00"), 1007},
		{"bytes after a last block", marked(true, ws.OpText, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00\x00"), 1007},
		{"text that is not UTF-8", deflated(true, "ab\xffcd"), 1007},
		{"text that ends within a rune", deflated(true, "ab\xc3"), 1007},
		{"one byte too many", deflated(true, strings.Repeat("x", limit+1)), 1009},
		{"a bomb", deflated(true, strings.Repeat("x", 1<<20)), 1009},
		{"a bomb in fragments", join(marked(false, ws.OpText, pack(strings.Repeat("x", 1<<20))[:100]), masked(true, ws.OpContinuation, pack(strings.Repeat("x", 1<<20))[100:])), 1009},
		{"more on the wire than any encoder makes", marked(true, ws.OpText, strings.Repeat(syncTail+"\x00", 300)), 1009},
	} {
		for _, pieces := range [][][]byte{{c.bytes}, split(c.bytes)} {
			if _, got, err := parseDeflated(limit, pieces...); err == nil || err.code != c.code {
				t.Errorf("%s in %d pieces: %.80q and %v, want code %d", c.name, len(pieces), got, err, c.code)
			}
		}
	}
}

func TestAMessageOfTheLimitPassesHoweverItIsCompressed(t *testing.T) {
	for _, limit := range []int{1, 100, 70_000, 1 << 20} {
		noise := noise(limit)
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, flate.BestCompression} {
			var buf bytes.Buffer
			w, err := flate.NewWriter(&buf, level)
			if err != nil {
				t.Fatal(err)
			}
			w.Write(noise)
			w.Flush()
			payload := strings.TrimSuffix(buf.String(), syncTail)
			_, got, closeErr := parseDeflated(limit, marked(true, ws.OpBinary, payload))
			if closeErr != nil || len(got) != 1 {
				t.Errorf("%d bytes at level %d, %d on the wire: %v", limit, level, len(payload), closeErr)
			}
		}
	}
}

func TestADecompressionBombGetsNoMoreMemoryThanAMessage(t *testing.T) {
	const limit = 1 << 20
	bomb := []byte(pack(strings.Repeat("\x00", 16*limit)))
	in := newInflater()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := in.inflate(bomb, limit)
	runtime.ReadMemStats(&after)
	if err == nil || err.code != ws.StatusMessageTooBig {
		t.Fatalf("%d bytes: %v", len(bomb), err)
	}
	// All allocations, including buffers that were outgrown.
	if got := after.TotalAlloc - before.TotalAlloc; got > limit*7/4 {
		t.Errorf("%d bytes on the wire got %d bytes of memory", len(bomb), got)
	}
	if cap(in.buf) > maxKeptBuffer {
		t.Errorf("the inflater keeps %d bytes", cap(in.buf))
	}
}

func TestASmallMessageIsInflatedWithoutAllocating(t *testing.T) {
	in, payload := newInflater(), []byte(pack(strings.Repeat("dome open ", 20)))
	if n := testing.AllocsPerRun(100, func() {
		if got, err := in.inflate(payload, 1<<20); err != nil || len(got) != 200 {
			t.Fatal(len(got), err)
		}
	}); n > 0 {
		t.Errorf("%v allocations a message", n)
	}
}

func FuzzInflate(f *testing.F) {
	for _, s := range []string{"", "hello", strings.Repeat("hello ", 100), strings.Repeat("x", 5000)} {
		f.Add([]byte(pack(s)), uint8(3))
	}
	f.Add([]byte("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), uint8(1))
	f.Add([]byte("\x03\x00\x03\x00"), uint8(0))
	in := newInflater()
	f.Fuzz(func(t *testing.T, payload []byte, cut uint8) {
		const limit = 4096
		got, err := in.inflate(payload, limit)
		if cap(in.buf) > maxKeptBuffer || len(got) > limit {
			t.Fatalf("%d bytes out, %d kept", len(got), cap(in.buf))
		}
		if len(payload) > 0 {
			// The result of a plain reader for the same bytes.
			plain, plainErr := io.ReadAll(io.LimitReader(flate.NewReader(strings.NewReader(string(payload)+inflateTail)), limit+1))
			switch {
			case err == nil && (plainErr != nil || !bytes.Equal(got, plain)):
				t.Fatalf("got %q, a plain reader %q, %v", got, plain, plainErr)
			case err != nil && err.code == ws.StatusMessageTooBig && len(plain) <= limit:
				t.Fatalf("too big, but a plain reader gets %d bytes", len(plain))
			}
		}
		// And in two fragments through the parser.
		n := min(int(cut), len(payload))
		_, lines, parsed := parseDeflated(limit, marked(false, ws.OpBinary, string(payload[:n])), masked(true, ws.OpContinuation, string(payload[n:])))
		if len(payload) <= limit && (parsed == nil) != (err == nil) {
			t.Fatalf("the parser gives %v and %v, want %v", lines, parsed, err)
		}
	})
}
