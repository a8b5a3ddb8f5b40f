package protocol

import (
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// BenchmarkParseMessage is what the longest messages cost the loop that reads them.
func BenchmarkParseMessage(b *testing.B) {
	const mib = 1 << 20
	for name, text := range map[string]string{
		"command":   `{"consumer": "dome", "command_string": "open", "command_id": "7"}`,
		"keys":      testkit.ObjectWithFields(96_000),
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
				_, _ = Parse(payload)
			}
		})
	}
}
