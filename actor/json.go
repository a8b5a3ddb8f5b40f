package actor

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/amqpx"
)

const hexDigits = "0123456789abcdef"

// appendString appends a JSON string. Bytes that are not UTF-8 become U+FFFD,
// since a text frame must be valid UTF-8 as a whole.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[from:i]...)
				dst = append(dst, "\ufffd"...)
				from = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
		i++
		from = i
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// HeaderText returns an AMQP string as an [Envelope] shows it in JSON. A string that
// is not UTF-8 becomes base64, as a byte array does: RabbitMQ relays both as strings.
func HeaderText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return base64.StdEncoding.EncodeToString([]byte(s))
}

func appendText(dst []byte, s string) []byte { return appendString(dst, HeaderText(s)) }

// header is one field of a table.
type header struct {
	key   string
	value any
}

// appendTable appends headers as a JSON object with sorted keys. A reply has half a
// dozen, which are sorted in an array on the stack.
func (e Envelope) appendTable(dst []byte, table amqpx.Table) []byte {
	var few [12]header
	fields := few[:0]
	for k, v := range table {
		fields = append(fields, header{k, v})
	}
	slices.SortFunc(fields, func(a, b header) int { return strings.Compare(a.key, b.key) })
	dst = append(dst, '{')
	for i := range fields {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendString(dst, fields[i].key)
		dst = append(dst, ": "...)
		dst = e.appendValue(dst, fields[i].value)
	}
	return append(dst, '}')
}

// appendValue appends a header value. Types that JSON lacks are converted for pages: bytes
// to base64, a decimal to a number, a time to the form of the timestamp.
func (e Envelope) appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return appendText(dst, v)
	case int8:
		return strconv.AppendInt(dst, int64(v), 10)
	case int16:
		return strconv.AppendInt(dst, int64(v), 10)
	case int32:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case uint8:
		return strconv.AppendUint(dst, uint64(v), 10)
	case uint16:
		return strconv.AppendUint(dst, uint64(v), 10)
	case uint32:
		return strconv.AppendUint(dst, uint64(v), 10)
	case uint64:
		return strconv.AppendUint(dst, v, 10)
	case float32:
		return e.appendFloat(dst, float64(v)) // as in Python, which has no shorter type
	case float64:
		return e.appendFloat(dst, v)
	case amqpx.Decimal:
		return appendDecimal(dst, v)
	case time.Time:
		return e.appendTime(dst, v)
	case []byte:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v)
		return append(dst, '"')
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = e.appendValue(dst, item)
		}
		return append(dst, ']')
	case amqpx.Table:
		return e.appendTable(dst, v)
	}
	// The AMQP decoder returns no other type.
	return append(dst, "null"...)
}

func (e Envelope) appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return e.NaN.append(dst, "NaN")
	case math.IsInf(f, 1):
		return e.NaN.append(dst, "Infinity")
	case math.IsInf(f, -1):
		return e.NaN.append(dst, "-Infinity")
	}
	// Use exponents for the same magnitudes as JavaScript and Python.
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64)
}

// appendDecimal appends value / 10^scale: in plain digits, or with an exponent if
// there would be more than twenty decimals.
func appendDecimal(dst []byte, d amqpx.Decimal) []byte {
	if d.Scale > 20 {
		dst = strconv.AppendInt(dst, int64(d.Value), 10)
		dst = append(dst, "e-"...)
		return strconv.AppendUint(dst, uint64(d.Scale), 10)
	}
	value := int64(d.Value)
	if value < 0 {
		dst = append(dst, '-')
		value = -value
	}
	digits := strconv.FormatInt(value, 10)
	for len(digits) <= int(d.Scale) {
		digits = "0" + digits
	}
	whole := len(digits) - int(d.Scale)
	dst = append(dst, digits[:whole]...)
	if d.Scale > 0 {
		dst = append(dst, '.')
		dst = append(dst, digits[whole:]...)
	}
	return dst
}
