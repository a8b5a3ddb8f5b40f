package site

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strconv"
	"unsafe"
)

// literal is a value in an expression.
type literal struct {
	raw  []byte // JSON: a number, true, false or null; nil for a text
	text string // a text
}

// equals reports whether a JSON value is the literal.
func (l *literal) equals(raw []byte) bool {
	switch {
	case l.raw == nil:
		return isText(raw) && textEquals(raw, l.text)
	case isNumber(l.raw):
		if !isNumber(raw) {
			return false
		}
		c, ok := compareNumbers(raw, l.raw)
		return ok && c == 0
	}
	return bytes.Equal(raw, l.raw)
}

func isNull(raw []byte) bool { return string(raw) == "null" }

func isText(raw []byte) bool { return len(raw) > 1 && raw[0] == '"' }

func isNumber(raw []byte) bool {
	return len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9')
}

// textEquals reports whether a text in JSON is the same as another one.
func textEquals(raw []byte, text string) bool {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1:len(raw)-1]) == text
	}
	var decoded string
	return json.Unmarshal(raw, &decoded) == nil && decoded == text
}

// compareNumbers compares two numbers as JSON has them: whole ones by all their digits, the others
// as floats. ok is false if one of them is no number.
func compareNumbers(a, b []byte) (c int, ok bool) {
	if whole(a) && whole(b) {
		return compareWhole(a, b), true
	}
	x, okX := float(a)
	y, okY := float(b)
	return cmp.Compare(x, y), okX && okY
}

// whole reports whether a number has neither a point nor an exponent.
func whole(n []byte) bool {
	if len(n) > 0 && n[0] == '-' {
		n = n[1:]
	}
	for _, c := range n {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(n) > 0
}

func compareWhole(a, b []byte) int {
	a, negA := magnitude(a)
	b, negB := magnitude(b)
	switch {
	case negA != negB && negA:
		return -1
	case negA != negB:
		return 1
	}
	c := cmp.Or(cmp.Compare(len(a), len(b)), bytes.Compare(a, b))
	if negA {
		return -c
	}
	return c
}

// magnitude returns the digits of a whole number without zeros at their beginning. Zero is not
// negative.
func magnitude(n []byte) (digits []byte, negative bool) {
	negative = n[0] == '-'
	if negative {
		n = n[1:]
	}
	n = bytes.TrimLeft(n, "0")
	return n, negative && len(n) > 0
}

// float returns a number as a float. One that is too large is infinite.
func float(n []byte) (f float64, ok bool) {
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(n), len(n)), 64)
	if e, isRange := err.(*strconv.NumError); isRange && e.Err == strconv.ErrRange {
		return f, true
	}
	return f, err == nil
}
