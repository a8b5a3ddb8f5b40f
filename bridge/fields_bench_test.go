package bridge

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkParseMessage is what the longest messages cost the loop that reads them.
func BenchmarkParseMessage(b *testing.B) {
	const mib = 1 << 20
	for name, text := range map[string]string{
		"command":   `{"consumer": "dome", "command_string": "open", "command_id": "7"}`,
		"keys":      manyFields(96_000),
		"one-list":  `{"op": "ping", "data": [` + strings.Repeat("1,", mib/2-20) + `1]}`,
		"one-depth": `{"op": "ping", "data": ` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`,
		"one-text":  `{"op": "ping", "data": "` + strings.Repeat("x", mib-40) + `"}`,
		"not-JSON":  `{"op": "ping", "data": [` + strings.Repeat("1,", mib/2-20) + `}`,
	} {
		b.Run(name, func(b *testing.B) {
			payload := []byte(text)
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				_, _ = parseMessage(payload)
			}
		})
	}
}

// manyFields is an object of so many fields.
func manyFields(n int) string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = fmt.Sprintf(`"%d":1`, i)
	}
	return "{" + strings.Join(fields, ",") + "}"
}
