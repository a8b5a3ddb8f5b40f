package jsonscan_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

var validSeeds = []string{
	`{}`, `[]`, ` {"a" : [1, -0.5e+3, true, false, null, "x\u00e9\"\\\/\b\f\n\r\t"]} `, `{"a":{"b":{"c":[[[]]]}}}`, `1`, `"a"`, `-`, `-0`, `0`, `9`, `-9.9e9`, `"\uafAF"`, `"\u09 "`, `"\u/000"`, `"\u:000"`, `"\u` + "`" + `000"`, `"\ug000"`, `01`, `1.`, `1.e3`, `1e`, `1e+`, `.5`,
	`{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `[1,]`, `[,1]`, `[1 2]`, `{"a":1 "b":2}`, `{a:1}`, `{"a":1}}`, `[}`, `{]`, `tru`, `nulll`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"a\nb\"", `"a`, `"\`, ``, ` `, "\x00", "[\x00]", "\"\xff\"", "1 2",
}

// check compares with the standard library.
func check(t *testing.T, text []byte) {
	t.Helper()
	ok, at := jsonscan.Valid(text)
	if want := json.Valid(text); ok != want {
		t.Fatalf("%q: %v, want %v", text, ok, want)
	}
	if at < 0 || at > len(text) || ok && at != len(text) {
		t.Fatalf("%q: it ends at %d", text, at)
	}
}

func TestValidIsWhatTheStandardLibrarySays(t *testing.T) {
	for _, text := range validSeeds {
		check(t, []byte(text))
	}
	for _, depth := range []int{1, 63, 64, 65, 9_999, 10_000, 10_001} {
		check(t, []byte(strings.Repeat("[", depth)+strings.Repeat("]", depth)))
		check(t, []byte(strings.Repeat("[", depth)+strings.Repeat(`{"a":`, depth)+"1"+strings.Repeat("}", depth)+strings.Repeat("]", depth)))
		check(t, []byte(strings.Repeat(`{"a":[`, depth/2)+"1"+strings.Repeat(`]}`, depth/2)))
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		var b strings.Builder
		for range 1 + rnd.IntN(12) {
			b.WriteString([]string{"{", "}", "[", "]", ",", ":", `"a"`, `"a":`, "1", "-", "0", ".5", "e", "+", "true", "null", " ", `\`, `"`, `\u0041`, "A", "f"}[rnd.IntN(22)])
		}
		check(t, []byte(b.String()))
	}
}

func TestValidReturnsTheOffsetOfTheError(t *testing.T) {
	for text, want := range map[string]int{`{"a": x}`: 6, `{"a": 1`: 7, `[1, 2 3]`: 6, `{"a" 1}`: 5, `"a`: 2, `1 x`: 2, `["\q"]`: 2, `"\n`: 3, `"\u0041`: 7} {
		if ok, at := jsonscan.Valid([]byte(text)); ok || at != want {
			t.Errorf("%s: %v at %d, want %d", text, ok, at, want)
		}
	}
}

func TestValidAllocatesNothingForTextOfFewLevels(t *testing.T) {
	text := []byte(strings.Repeat(`{"a": [`, 32) + "1" + strings.Repeat("]}", 32))
	if n := testing.AllocsPerRun(100, func() { jsonscan.Valid(text) }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func FuzzValid(f *testing.F) {
	for _, text := range validSeeds {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { check(t, text) })
}
