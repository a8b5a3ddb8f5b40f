package bridge

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// A client reckons expires_at from the time in hello. If the machine's clock was set back, that time is
// ahead of it, and a command must not stay good for as long.
func TestACommandExpiresInTimeAfterTheClockWasSetBack(t *testing.T) {
	var ahead atomic.Int64
	ahead.Store(int64(30 * time.Minute))
	b, err := New(Config{Broker: []string{"amqp://127.0.0.1:1/"}, Logger: slog.New(slog.DiscardHandler), now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	b.hub.Time()
	ahead.Store(0)
	hello := b.hub.Time()
	fields := func(expires time.Time) protocol.Fields {
		return protocol.Fields{"consumer": []byte(`"dome"`), "command_string": []byte(`"open"`), "expires_at": fmt.Appendf(nil, "%q", expires.Format(time.RFC3339Nano))}
	}
	in := incoming{receivedAt: time.Now()}
	s, err := b.readCommand(engine.Conn{}, &client{}, fields(hello.Add(time.Minute)), in)
	if left := time.Until(s.expires); err != nil || left < 50*time.Second || left > time.Minute {
		t.Errorf("a command for a minute is good for %v: %v", left, err)
	}
	if _, err := b.readCommand(engine.Conn{}, &client{}, fields(hello.Add(-time.Second)), in); err == nil {
		t.Error("one that has expired is sent")
	}
}
