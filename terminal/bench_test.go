package terminal

import (
	"bufio"
	"io"
	"testing"

	"github.com/clu-ws/clu-ws/wsclient"
)

const envelope = `{"headers": {"command_id": null, "commander_id": null, "internal": false, "message_code": "i", "sender": "weather"}, ` +
	`"exchange": "sdss_exchange", "message_id": "2f1d3d1e-5e0b-4c3a-9b57-1f5f6a6f2a11", "routing_key": "reply.broadcast", ` +
	`"timestamp": "2026-11-21T03:38:40+00:00", "body": {"wind_speed_ms": 4.5, "wind_direction_deg": 271.25, "is_safe": true}, ` +
	`"seq": 42, "epoch": "5f0c2a9be1d4", "heard": 1795232320123456}`

// BenchmarkAReplyIsPrinted is what a reply takes from its envelope to its line.
func BenchmarkAReplyIsPrinted(b *testing.B) {
	for name, asJSON := range map[string]bool{"people": false, "json": true} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			out := newLineWriter(io.Discard)
			defer out.Close()
			for b.Loop() {
				r, err := wsclient.ParseReply([]byte(envelope))
				if err != nil {
					b.Fatal(err)
				}
				reply := fromReply(r)
				if err := out.Line(func(w *bufio.Writer) { writeReply(w, reply, asJSON, false) }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
