package history

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// FuzzDecimal compares the reading of numbers with that of package big.
func FuzzDecimal(f *testing.F) {
	for _, text := range []string{"0", "-0", "1.50", "-12e3", "1E+2", "9223372036854775807", "123456789012345678901", "0.00000000000000000001", "1e-400", "1e", "", "-", "01", ".5", "5.", "1e999999", "10e400", "0." + strings.Repeat("0", 1<<16) + "1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := parseDecimal([]byte(text))
		if !ok || !json.Valid([]byte(text)) {
			return
		}
		want, valid := new(big.Rat).SetString(text)
		if !valid {
			t.Fatalf("%q was read as %+v", text, d)
		}
		got, valid := new(big.Rat).SetString(string(d.append(nil)))
		if !valid || got.Cmp(want) != 0 {
			t.Fatalf("%q became %s", text, d.append(nil))
		}
		if again, ok := parseDecimal(d.append(nil)); !ok || again != d {
			t.Fatalf("%q is %+v, and written and read again %+v", text, d, again)
		}
	})
}

// FuzzNote notes any bodies at any times, and asks for what they have: the answer is JSON, and the
// memory is bounded.
func FuzzNote(f *testing.F) {
	f.Add([]byte(`{"n": 1, "s": "x", "o": {"l": [1, null, NaN]}}`), []byte(`{"n": "\ud800", "s": 1e400}`), int64(0), int64(1000))
	f.Add([]byte(`{"": {"": {}}, "a.b": 1}`), []byte(`{"n": "`+string(make([]byte, 300))+`"}`), int64(-5), int64(1<<40))
	f.Fuzz(func(t *testing.T, one, other []byte, first, second int64) {
		s := New(Limits{Bytes: 16 << 10, Origins: true})
		past := s.Past()
		at := func(ms int64) time.Time { return start.Add(time.Duration(ms%(48*3600_000)) * time.Millisecond) }
		for i := range int64(30) {
			for body, ms := range map[string]int64{string(one): first*i + i, string(other): second * i} {
				if !json.Valid([]byte(body)) {
					continue
				}
				s.Note(&Reply{Actor: "a", Time: at(ms), Code: body[:1]}, membersOf(body))
				past.Note(&Reply{Actor: "a", Time: at(ms - 1000)}, membersOf(body))
			}
		}
		past.join()
		names := []string{"a.n", "a."}
		for _, body := range [][]byte{one, other} {
			for _, key := range jsonscan.Keys(nil, body) {
				names = append(names, "a."+key)
			}
		}
		for _, points := range []int{1, 1000} {
			s.ask(t, Query{Keywords: names, From: at(0).Add(-50 * time.Hour).UnixMilli(), To: at(0).Add(50 * time.Hour).UnixMilli(), Points: points})
		}
		if figures := s.Figures(); figures.Bytes > 16<<10 {
			t.Errorf("figures %+v", figures)
		}
	})
}
