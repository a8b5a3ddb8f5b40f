package engine

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// record is a sink that records its calls.
type record struct {
	lines   []string
	closing bool
}

func (r *record) message(op ws.OpCode, p []byte) bool {
	r.lines = append(r.lines, fmt.Sprintf("message %d %q", op, p))
	return true
}

func (r *record) exhausted() bool     { return false }
func (r *record) fragmentBatch() bool { return true }
func (r *record) inflated(int)        {}

func (r *record) control(op ws.OpCode, p []byte) bool {
	r.lines = append(r.lines, fmt.Sprintf("control %d %q", op, p))
	return op != ws.OpClose
}

// parse feeds the pieces to a new parser, and returns the result and the error.
func parse(limit int, pieces ...[]byte) (*parser, []string, *closeError) {
	p, r := new(parser), new(record)
	for _, piece := range pieces {
		if _, err := p.feed(bytes.Clone(piece), limit, r); err != nil {
			return p, r.lines, err
		}
	}
	return p, r.lines, nil
}

func TestTheParserFindsTheSameMessagesHoweverTheBytesAreSplit(t *testing.T) {
	stream := join(
		text("hello"),
		text(""),
		masked(true, ws.OpPing, "are you there"),
		masked(false, ws.OpText, "sni"), masked(true, ws.OpPong, ""), masked(false, ws.OpContinuation, ""), masked(true, ws.OpContinuation, "pped"),
		masked(true, ws.OpBinary, "\xff\x00"),
		text(strings.Repeat("long ", 50)),
		text(strings.Repeat("ü", 40_000)),
	)
	_, want, err := parse(1<<20, stream)
	if err != nil || len(want) != 8 {
		t.Fatalf("in one piece: %d results, error %v", len(want), err)
	}
	for _, size := range []int{1, 2, 3, 5, 7, 13, 64, 4096} {
		p, r := new(parser), new(record)
		for rest := bytes.Clone(stream); len(rest) > 0; {
			n := min(size, len(rest))
			if _, err := p.feed(rest[:n], 1<<20, r); err != nil {
				t.Fatalf("pieces of %d: %v", size, err)
			}
			rest = rest[n:]
		}
		if fmt.Sprint(r.lines) != fmt.Sprint(want) {
			t.Errorf("pieces of %d give other messages", size)
		}
		if !p.idle() {
			t.Errorf("pieces of %d: the parser still holds something", size)
		}
	}
}

func TestTheParserRejectsWhatTheRFCForbids(t *testing.T) {
	unmasked := ws.MustCompileFrame(ws.NewTextFrame([]byte("x")))
	rsv := text("x")
	rsv[0] |= 0x40
	huge := []byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}
	for _, c := range []struct {
		name  string
		bytes []byte
		code  ws.StatusCode
	}{
		{"a frame without a mask", unmasked, 1002},
		{"a reserved bit", rsv, 1002},
		{"a reserved opcode", masked(true, 3, "x"), 1002},
		{"a reserved control opcode", masked(true, 0xb, "x"), 1002},
		{"a fragmented ping", masked(false, ws.OpPing, "x"), 1002},
		{"a ping of 126 bytes", masked(true, ws.OpPing, strings.Repeat("x", 126)), 1002},
		{"a continuation of nothing", masked(true, ws.OpContinuation, "x"), 1002},
		{"a new message within one", join(masked(false, ws.OpText, "x"), text("y")), 1002},
		{"a length with the highest bit", huge, 1002},
		{"a message that is too long", text(strings.Repeat("x", 1001)), 1009},
		{"fragments that are too long together", join(masked(false, ws.OpText, strings.Repeat("x", 600)), masked(true, ws.OpContinuation, strings.Repeat("x", 401))), 1009},
		{"a last fragment of a length that overflows a sum", join(masked(false, ws.OpText, "x"), []byte{0x80, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}), 1009},
		{"text that is not UTF-8", text("ab\xffcd"), 1007},
		{"text that ends within a rune", text("ab\xc3"), 1007},
		{"a surrogate", text("\xed\xa0\x80"), 1007},
		{"a first fragment that nothing can mend", masked(false, ws.OpText, "\xf5"), 1007},
	} {
		for _, pieces := range [][][]byte{{c.bytes}, split(c.bytes)} {
			if _, got, err := parse(1000, pieces...); err == nil || err.code != c.code {
				t.Errorf("%s in %d pieces: %v and %v, want code %d", c.name, len(pieces), got, err, c.code)
			}
		}
	}
}

func TestTheParserAcceptsARuneSplitBetweenFragments(t *testing.T) {
	euro := "€"
	_, got, err := parse(100, masked(false, ws.OpText, euro[:1]), masked(true, ws.OpContinuation, euro[1:]))
	if err != nil || fmt.Sprint(got) != `[message 1 "€"]` {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestTheParserRejectsAFalseLengthBeforeItAllocates(t *testing.T) {
	header := []byte{0x81, 0xff, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}
	p, _, err := parse(1<<20, header)
	if err == nil || err.code != ws.StatusMessageTooBig || cap(p.message) != 0 {
		t.Fatalf("got %v with a buffer of %d bytes", err, cap(p.message))
	}
}

func FuzzParser(f *testing.F) {
	f.Add(join(text("hello"), masked(true, ws.OpPing, "p"), masked(false, ws.OpText, "a"), masked(true, ws.OpContinuation, "b")), uint8(3))
	f.Add([]byte{0x81, 0xfe, 0, 5, 1, 2, 3, 4, 'x'}, uint8(1))
	f.Add(text("\xff"), uint8(2))
	f.Add(join(masked(false, ws.OpText, "x"), []byte{0x80, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}), uint8(5))
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		const limit = 4096
		whole, want, wantErr := parse(limit, stream)
		n := int(size)%17 + 1
		var pieces [][]byte
		for rest := stream; len(rest) > 0; rest = rest[min(n, len(rest)):] {
			pieces = append(pieces, rest[:min(n, len(rest))])
		}
		parted, got, gotErr := parse(limit, pieces...)
		// After a close frame the rest of the piece is not parsed, so only the part before
		// it can be compared.
		upTo := func(lines []string) string {
			for i, line := range lines {
				if strings.HasPrefix(line, "control 8") {
					return fmt.Sprint(lines[:i+1])
				}
			}
			return fmt.Sprint(lines)
		}
		if upTo(got) != upTo(want) {
			t.Fatalf("pieces of %d: %s, whole: %s", n, got, want)
		}
		if !strings.Contains(upTo(want), "control 8") && fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
			t.Fatalf("pieces of %d: error %v, whole: %v", n, gotErr, wantErr)
		}
		for _, p := range []*parser{whole, parted} {
			if len(p.message) > limit {
				t.Fatalf("the parser holds %d bytes", len(p.message))
			}
		}
	})
}
