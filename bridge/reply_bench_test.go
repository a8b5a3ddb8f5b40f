package bridge

import (
	"log/slog"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// BenchmarkReply measures a reply from its delivery to the logs of the loops, without clients and with
// one group that gets everything.
func BenchmarkReply(b *testing.B) {
	for name, groups := range map[string]int{"nobody": 0, "a group": 1} {
		b.Run(name, func(b *testing.B) {
			bridge, err := New(Config{Broker: []string{"amqp://127.0.0.1:1/"}, Logger: slog.New(slog.DiscardHandler), History: hub.History{Replies: 1000}, KeywordHistory: 64 << 20})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = bridge.Close() })
			for range groups {
				busy, free := make(chan struct{}), make(chan struct{})
				close(free)
				bridge.hub.Greet(busyConn{busy, free}, hub.NewSession("x", ""), &hub.ConnectRequest{}, protocol.Hello{})
				<-busy
			}
			d := &amqpx.Delivery{
				Headers:  amqpx.Table{"command_id": "0f5b9a0c-1111-2222-3333-444455556666", "commander_id": "bridge.dome", "internal": false, "message_code": "i", "sender": "mount"},
				Exchange: "sdss_exchange", RoutingKey: "reply.bridge.dome", MessageId: "0f5b9a0c-1111-2222-3333-444455556666",
				CorrelationId: "0f5b9a0c-1111-2222-3333-444455556666", Timestamp: time.Now(), ContentType: "application/json",
				Body: []byte(`{"position": [12.3456, -65.4321], "temperature": 12.5, "dome_open": true, "status": "tracking", "n": 1}`),
			}
			b.ReportAllocs()
			for b.Loop() {
				bridge.deliver(d, false)
			}
		})
	}
}
