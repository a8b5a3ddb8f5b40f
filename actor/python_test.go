package actor

import (
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
)

func TestTruthIsThatOfPython(t *testing.T) {
	for _, v := range []any{true, "x", "0", int8(1), uint8(1), int16(-1), uint16(1), int32(1), uint32(1), int64(1), uint64(1), 1,
		float32(0.5), 0.5, []byte{0}, []any{nil}, amqpx.Table{"a": nil}, amqpx.Decimal{Value: 1}, time.Time{}, time.Now()} {
		if !pythonTrue(v) {
			t.Errorf("%T %v is true in Python", v, v)
		}
	}
	for _, v := range []any{nil, false, "", int8(0), uint8(0), int16(0), uint16(0), int32(0), uint32(0), int64(0), uint64(0), 0,
		float32(0), 0.0, []byte{}, []any{}, amqpx.Table{}, amqpx.Decimal{Scale: 3}} {
		if pythonTrue(v) {
			t.Errorf("%T %v is false in Python", v, v)
		}
	}
}

// The expectations were printed by Python's repr.
func TestReprIsThatOfPython(t *testing.T) {
	for in, want := range map[string]string{
		"nobody":     `'nobody'`,
		"":           `''`,
		"it's":       `"it's"`,
		`say "hi"`:   `'say "hi"'`,
		`it's "hi"`:  `'it\'s "hi"'`,
		`a\b`:        `'a\\b'`,
		"a\n\r\tb":   `'a\n\r\tb'`,
		"\x00\x1f":   `'\x00\x1f'`,
		"\x7f\u0085": `'\x7f\x85'`,
		"\u00a0":     `'\xa0'`,
		"\u00ad":     `'\xad'`,
		"ünï ☃ 𝄞":    `'ünï ☃ 𝄞'`,
		"\u200b":     `'\u200b'`,
		"\u2028":     `'\u2028'`,
		"\U000e0001": `'\U000e0001'`,
	} {
		if got := pythonRepr(in); got != want {
			t.Errorf("repr(%q) is %s, want %s", in, got, want)
		}
	}
}
