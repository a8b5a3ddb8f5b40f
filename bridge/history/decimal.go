package history

import (
	"cmp"
	"math"
	"strconv"
)

// decimal is a number exactly as an actor wrote it: m × 10^e. So a number with a few decimals takes
// few bits, and no digit of an integer is lost. A mark is not a number, and has no m and e.
type decimal struct {
	m    int64
	e    int16
	mark mark
}

// mark is what a numeric keyword may be instead of a number.
type mark uint8

const (
	number   mark = iota
	null          // null, or a value of another kind
	nan           // NaN, which some actors send
	plusInf       // Infinity
	minusInf      // -Infinity
)

// pow10 holds the powers of ten that an int64 can have.
var pow10 = func() (p [19]int64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = 10 * p[i-1]
	}
	return p
}()

// parseDecimal reads a number in JSON. It returns false for one that has more digits than an int64,
// or an exponent beyond all floating point numbers: it is not shortened. It does not allocate.
//
// Equal numbers become equal decimals: e is 0 for an integer that fits, and otherwise m has no
// trailing zeros.
func parseDecimal(text []byte) (d decimal, ok bool) {
	at, negative := 0, false
	if at < len(text) && text[at] == '-' {
		at, negative = 1, true
	}
	var m uint64
	e, digits := 0, 0
	for ; at < len(text) && isDigit(text[at]); at++ {
		if m > (math.MaxInt64-9)/10 {
			return d, false
		}
		m = 10*m + uint64(text[at]-'0')
		digits++
	}
	if at < len(text) && text[at] == '.' {
		end := at + 1
		for end < len(text) && isDigit(text[end]) {
			end++
		}
		last := end
		for last > at+1 && text[last-1] == '0' {
			last--
		}
		for at++; at < last; at++ {
			if m > (math.MaxInt64-9)/10 {
				return d, false
			}
			m = 10*m + uint64(text[at]-'0')
			e--
		}
		at = end
	}
	if at < len(text) && (text[at] == 'e' || text[at] == 'E') {
		exponent, err := strconv.ParseInt(string(trimPlus(text[at+1:])), 10, 16)
		if err != nil || exponent < -2*maxExponent || exponent > 2*maxExponent {
			return d, false
		}
		e += int(exponent)
		at = len(text)
	}
	if digits == 0 || at != len(text) || m != 0 && (e < -2*maxExponent || e > 2*maxExponent) {
		return d, false
	}
	d.m = int64(m)
	if negative {
		d.m = -d.m
	}
	d.canonical(e)
	return d, d.e >= -maxExponent && d.e <= maxExponent
}

// maxExponent bounds exponents: floating point numbers have none beyond.
const maxExponent = 400

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func trimPlus(text []byte) []byte {
	if len(text) > 0 && text[0] == '+' {
		return text[1:]
	}
	return text
}

// canonical sets the exponent, in the only form that the number has.
func (d *decimal) canonical(e int) {
	if d.m == 0 {
		e = 0
	}
	for e < 0 && d.m%10 == 0 {
		d.m /= 10
		e++
	}
	if e > 0 {
		if whole, fits := scaled(d.m, e); fits {
			d.m, e = whole, 0
		}
		for e > 0 && d.m%10 == 0 {
			d.m /= 10
			e++
		}
	}
	d.e = int16(e)
}

// scaled returns m × 10^by, unless that is too large.
func scaled(m int64, by int) (n int64, fits bool) {
	if by < 0 || by >= len(pow10) {
		return 0, m == 0 && by >= 0
	}
	p := pow10[by]
	if n = m * p; n/p != m || m == math.MinInt64 {
		return 0, false
	}
	return n, true
}

// at returns m for another exponent, unless it is too large or has more decimals.
func (d decimal) at(e int16) (m int64, fits bool) { return scaled(d.m, int(d.e)-int(e)) }

// compare compares two numbers. Numbers of very different sizes are compared as floating point
// numbers, which is exact enough for that.
func (d decimal) compare(o decimal) int {
	if d.e == o.e {
		return cmp.Compare(d.m, o.m)
	}
	e := min(d.e, o.e)
	a, fits := d.at(e)
	b, both := o.at(e)
	if fits && both {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(d.float(), o.float())
}

func (d decimal) float() float64 {
	if d.e == 0 {
		return float64(d.m)
	}
	f, _ := strconv.ParseFloat(string(d.append(nil)), 64) // the nearest one, or an infinity
	return f
}

// append writes the number as JSON, with all its digits. A mark becomes null or a string.
func (d decimal) append(dst []byte) []byte {
	switch d.mark {
	case null:
		return append(dst, "null"...)
	case nan:
		return append(dst, `"NaN"`...)
	case plusInf:
		return append(dst, `"Infinity"`...)
	case minusInf:
		return append(dst, `"-Infinity"`...)
	}
	if d.e == 0 {
		return strconv.AppendInt(dst, d.m, 10)
	}
	if d.e > 0 || d.e < -24 {
		dst = strconv.AppendInt(dst, d.m, 10)
		dst = append(dst, 'e')
		return strconv.AppendInt(dst, int64(d.e), 10)
	}
	m := d.m
	if m < 0 {
		dst, m = append(dst, '-'), -m
	}
	var digits [24]byte
	text := strconv.AppendInt(digits[:0], m, 10)
	point := len(text) + int(d.e)
	if point <= 0 {
		dst = append(dst, "0."...)
		for ; point < 0; point++ {
			dst = append(dst, '0')
		}
		return append(dst, text...)
	}
	dst = append(dst, text[:point]...)
	dst = append(dst, '.')
	return append(dst, text[point:]...)
}
