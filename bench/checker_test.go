package bench

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/gobwas/ws"
)

// seen is what a checker made of some bytes.
type seen struct {
	faults           faultCounts
	replies, foreign int
	next             uint64
	controls         []string
	err              string
}

// feed gives pieces to a checker, one after the other.
func feed(start uint64, pieces ...[]byte) (s seen) {
	k := checker{control: func(op ws.OpCode, payload []byte) {
		s.controls = append(s.controls, fmt.Sprintf("%d %q", op, payload))
	}}
	st := stream{next: start}
	for _, piece := range pieces {
		// A read of the next bytes overwrites these.
		buf := bytes.Clone(piece)
		err := k.feed(&st, buf)
		clear(buf)
		if err != nil {
			s.err = err.Error()
			break
		}
	}
	s.faults, s.replies, s.foreign, s.next = k.faults, k.replies, k.unnumbered, st.next
	return s
}

func (s seen) equal(other seen) bool {
	return s.faults == other.faults && s.replies == other.replies && s.foreign == other.foreign &&
		s.next == other.next && slices.Equal(s.controls, other.controls) && s.err == other.err
}

// frames are the frames of these replies.
func frames(t testing.TB, numbers ...uint64) []byte {
	t.Helper()
	var all []byte
	for _, n := range numbers {
		frame, err := replyFrame(firstNumber + n)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, frame...)
	}
	return all
}

func compiled(f ws.Frame) []byte { return ws.MustCompileFrame(f) }

// mixture has a frame of each kind and of each length of header.
func mixture(t testing.TB) []byte {
	all := frames(t, 0)
	all = append(all, compiled(ws.NewPingFrame([]byte("are you there")))...)
	all = append(all, compiled(ws.NewTextFrame([]byte(`{"sequence":1000000001}`)))...)
	all = append(all, compiled(ws.NewTextFrame([]byte("somebody else's")))...)
	all = append(all, compiled(ws.NewTextFrame(nil))...)
	long := append(bytes.Repeat([]byte(" "), 1<<16), `{"sequence":1000000002}`...)
	all = append(all, compiled(ws.NewTextFrame(long))...)
	all = append(all, frames(t, 3)...)
	return append(all, compiled(ws.NewCloseFrame(ws.NewCloseFrameBody(1008, "too slow")))...)
}

func TestAReplyHasAboutThreeHundredBytes(t *testing.T) {
	if n := len(frames(t, 0)); n < 280 || n > 360 {
		t.Errorf("a frame has %d bytes", n)
	}
	if len(frames(t, 0)) != len(frames(t, 999_999)) {
		t.Error("frames differ in length")
	}
}

func TestAStreamMayBeSplitAtAnyByte(t *testing.T) {
	all := mixture(t)
	want := seen{replies: 4, foreign: 2, next: firstNumber + 4, controls: []string{`9 "are you there"`, `8 "\x03\xf0too slow"`}}
	if got := feed(firstNumber, all); !got.equal(want) {
		t.Fatalf("in one piece: %+v", got)
	}
	for cut := range all {
		if cut > 700 && cut < len(all)-700 {
			continue // within the long payload
		}
		if got := feed(firstNumber, all[:cut], all[cut:]); !got.equal(want) {
			t.Fatalf("cut at %d: %+v", cut, got)
		}
	}
	var bytewise [][]byte
	for i := range all {
		bytewise = append(bytewise, all[i:i+1])
	}
	if got := feed(firstNumber, bytewise...); !got.equal(want) {
		t.Fatalf("byte by byte: %+v", got)
	}
}

func TestFaultsAreDistinguished(t *testing.T) {
	for _, test := range []struct {
		name    string
		numbers []uint64
		want    faultCounts
	}{
		{"all well", []uint64{0, 1, 2, 3}, faultCounts{}},
		{"one lost", []uint64{0, 2, 3}, faultCounts{Lost: 1}},
		{"the first two lost", []uint64{2, 3}, faultCounts{Lost: 2}},
		{"one duplicated", []uint64{0, 1, 1, 2}, faultCounts{Duplicated: 1}},
		{"two swapped", []uint64{0, 2, 1, 3}, faultCounts{OutOfOrder: 1}},
		{"the first comes last", []uint64{1, 2, 3, 0}, faultCounts{OutOfOrder: 1}},
		{"late, and duplicated", []uint64{0, 3, 1, 1, 4}, faultCounts{Lost: 1, Duplicated: 1, OutOfOrder: 1}},
		{"out of the middle of a gap", []uint64{0, 5, 3, 2, 4}, faultCounts{Lost: 1, OutOfOrder: 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := feed(firstNumber, frames(t, test.numbers...)); got.faults != test.want {
				t.Errorf("%v", got.faults)
			}
		})
	}
}

func TestAStreamWithoutAnExpectedNumberAcceptsAnyFirstNumber(t *testing.T) {
	if got := feed(0, frames(t, 70, 71, 73)); got.faults != (faultCounts{Lost: 1}) {
		t.Errorf("%v", got.faults)
	}
}

func TestWhatNoServerMaySendIsAnError(t *testing.T) {
	for name, data := range map[string][]byte{
		"a mask":                {0x81, 0x85},
		"a reserved bit":        {0xc1, 0x05},
		"a frame without end":   {0x81, 127, 1, 0, 0, 0, 0, 0, 0, 0},
		"a long control frame":  {0x89, 126, 0, 126},
		"a frame beyond bounds": {0x81, 127, 0, 0, 0, 0, 1, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := feed(firstNumber, data); got.err == "" {
				t.Errorf("no error: %+v", got)
			}
		})
	}
}

func FuzzCheckerDoesNotDependOnHowReadsSplitFrames(f *testing.F) {
	// Short seeds: the fuzzer's own work grows with them.
	f.Add(append(compiled(ws.NewTextFrame([]byte(`{"sequence":1000000001}`))), compiled(ws.NewPingFrame([]byte("hello")))...), 1, 30)
	f.Add([]byte{0x81, 126, 0, 3, 'a', 'b', 'c', 0x88, 2, 3, 232}, 3, 8)
	f.Add([]byte{0x81, 127, 0, 0, 0, 0, 1, 0, 0, 1}, 1, 9)
	f.Fuzz(func(t *testing.T, data []byte, first, second int) {
		first = min(max(first, 0), len(data))
		second = min(max(second, first), len(data))
		whole := feed(firstNumber, data)
		if cut := feed(firstNumber, data[:first], data[first:second], data[second:]); !cut.equal(whole) {
			t.Errorf("in one piece: %+v\ncut at %d and %d: %+v", whole, first, second, cut)
		}
	})
}

func BenchmarkChecker(b *testing.B) {
	const count = 200
	var numbers []uint64
	for n := range uint64(count) {
		numbers = append(numbers, n)
	}
	data := frames(b, numbers...)
	k := checker{control: func(ws.OpCode, []byte) {}}
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		s := stream{next: firstNumber}
		if err := k.feed(&s, data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/frame")
}

func TestASubsetIsCheckedAloneAndNumbersForOthersAreFaults(t *testing.T) {
	for _, test := range []struct {
		name    string
		share   subset
		numbers []uint64
		want    faultCounts
	}{
		{"all well", subset{modulus: 10, remainder: 3}, []uint64{3, 13, 23}, faultCounts{}},
		{"one lost", subset{modulus: 10, remainder: 3}, []uint64{3, 23}, faultCounts{Lost: 1}},
		{"one duplicated", subset{modulus: 10, remainder: 3}, []uint64{3, 13, 13}, faultCounts{Duplicated: 1}},
		{"two swapped", subset{modulus: 10, remainder: 3}, []uint64{13, 3}, faultCounts{OutOfOrder: 1}},
		{"one of another's", subset{modulus: 10, remainder: 3}, []uint64{3, 4, 13}, faultCounts{Misrouted: 1}},
		{"nothing is for it", subset{none: true}, []uint64{3}, faultCounts{Misrouted: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := checker{control: func(ws.OpCode, []byte) {}}
			s := stream{subset: test.share, next: test.share.countBelow(firstNumber)}
			if err := k.feed(&s, frames(t, test.numbers...)); err != nil || k.faults != test.want {
				t.Errorf("%v, %v", k.faults, err)
			}
		})
	}
}
