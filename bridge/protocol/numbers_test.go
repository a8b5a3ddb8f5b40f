package protocol

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
)

func TestWholeNumbersAreReadHoweverTheyAreWritten(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "-0": 0, "0.0": 0, "-0.0e5": 0, "0e999999999999999999999": 0,
		"60000": 60000, "60000.0": 60000, "6e4": 60000, "6E+4": 60000, "0.6e5": 60000, "600000e-1": 60000, "0.00006e9": 60000, "6.0000e4": 60000,
		"9007199254740993": 1<<53 + 1, "9007199254740993.0": 1<<53 + 1, "9.007199254740993e15": 1<<53 + 1,
		"18446744073709551615": math.MaxUint64, "18446744073709551615.000": math.MaxUint64, "1844674407370955161.5e1": math.MaxUint64,
	} {
		var got uint64
		if err := readUint(json.RawMessage(text), &got); err != nil || got != want {
			t.Errorf("%s is %d, %v", text, got, err)
		}
	}
}

func TestOtherNumbersAreRefused(t *testing.T) {
	for _, text := range []string{
		"1.5", "-1", "1e-1", "0.1", "1e20", "18446744073709551616", "18446744073709551615.5", "1e999999999999999999999", "1e-999999999999999999999",
		"", "-", "/1", ":1", `"1"`, "true", "null", "[1]", "{}", strings.Repeat("9", 1<<20), "1e" + strings.Repeat("9", 1<<20),
	} {
		var n uint64
		if readUint(json.RawMessage(text), &n) == nil {
			t.Errorf("%.40s is %d", text, n)
		}
	}
	for text, want := range map[string]int{"-6e1": -60, "9223372036854775807": math.MaxInt} {
		var n int
		if readInt(json.RawMessage(text), &n) != nil || n != want {
			t.Errorf("%s is %d", text, n)
		}
	}
	if readInt(json.RawMessage("9223372036854775808"), new(int)) == nil {
		t.Error("an int that is too large is read")
	}
}

func FuzzWholeNumbers(f *testing.F) {
	for _, seed := range []string{"1.50e2", "-7", "0.001e3", "12e-1", "184467440737095516150e-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) || strings.TrimSpace(text) != text || len(text) > 30 || Kind([]byte(text)) != "a number" {
			return
		}
		if _, power, _ := strings.Cut(strings.ToLower(text), "e"); len(power) > 4 {
			return // it takes big too long
		}
		want, ok := new(big.Rat).SetString(text)
		whole := ok && want.IsInt() && want.Num().IsUint64()
		var got uint64
		if err := readUint(json.RawMessage(text), &got); (err == nil) != whole || whole && got != want.Num().Uint64() {
			t.Errorf("%s is %d, %v; want %v", text, got, err, want)
		}
	})
}

func TestAWrongNumberIsShownIfItIsShort(t *testing.T) {
	longest := strings.Repeat("1", 30)
	for text, want := range map[string]string{"1.5": "1.5", longest: longest, longest + "1": "a number", `"1"`: "a string"} {
		if got := describe(json.RawMessage(text)); got != want {
			t.Errorf("%s is described as %s, want %s", text, got, want)
		}
	}
}
