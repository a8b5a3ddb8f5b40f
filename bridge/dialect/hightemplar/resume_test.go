package hightemplar

import (
	"testing"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// What a subscription missed comes in frames of its own, so it is bounded: a client may have many subscriptions to a room.
func TestWhatASubscriptionMissedIsBounded(t *testing.T) {
	for _, c := range []struct{ messages, bytes, sent int }{{maxMissed, 1, maxMissed}, {maxMissed + 1, 1, 0}, {5, 1 << 20, 0}} {
		var q *rooms.Sequencer
		var resuming *rooms.Resuming
		q = rooms.NewSequencer(func(m *rooms.Message) { resuming.Deliver(m) }, nil)
		resuming = rooms.NewResuming(q, nil, "e", 1<<30)
		body := make([]byte, c.bytes)
		for range c.messages {
			q.Take(rooms.Message{Path: "/ws/a", Format: rooms.FormatHighTemplar, Body: body, Whole: body})
		}
		since, err := resuming.Parse("e:0")
		if err != nil {
			t.Fatal(err)
		}
		var sent counts
		h := newHub("/ws", &sent, nil, resuming.Place)
		h.unsubscribe(h.resume(resuming, engine.Conn{}, "/ws/a", "7", since), nil)
		if got := sent.sent.Load(); got != int64(c.sent) || h.len() != 0 {
			t.Errorf("of %d messages of %d bytes, %d are sent, not %d", c.messages, c.bytes, got, c.sent)
		}
	}
}
