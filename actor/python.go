package actor

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/clu-ws/clu-ws/amqpx"
)

// pythonTrue reports whether Python treats an AMQP header value as true.
func pythonTrue(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case []byte:
		return len(v) > 0
	case []any:
		return len(v) > 0
	case amqpx.Table:
		return len(v) > 0
	case int8, uint8, int16, uint16, int32, uint32, int64, uint64, int:
		return fmt.Sprint(v) != "0"
	case float32:
		return v != 0
	case float64:
		return v != 0
	case amqpx.Decimal:
		return v.Value != 0
	case time.Time:
		return true
	}
	return true
}

// pythonRepr quotes a string as Python's repr does. CLU's text for an unroutable command is
// built with it, and pages may look for that text.
func pythonRepr(s string) string {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	var b strings.Builder
	b.WriteByte(quote)
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte(quote)
	return b.String()
}
