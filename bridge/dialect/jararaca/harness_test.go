package jararaca

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

const (
	sendChannel      = "jj:send"
	broadcastChannel = "jj:broadcast"
)

// harness is a bridge that speaks the dialect below /chat. Messages are given to the dialect as a source does it.
type harness struct {
	t      *testing.T
	addr   string
	spoken dialect.Dialect
	source rooms.Source
	// sequence numbers what is published.
	sequence *rooms.Sequencer
}

func newHarness(t *testing.T, cfg Config) *harness {
	t.Helper()
	h := &harness{t: t}
	h.source = rooms.Source{Path: "/chat", Format: rooms.FormatJararaca, Redis: &rooms.Redis{URL: "redis://127.0.0.1:1", Channels: []string{sendChannel}, Broadcast: broadcastChannel}}
	if err := h.source.Complete(); err != nil {
		t.Fatal(err)
	}
	place := dialect.Place{Path: "/chat", Rooms: "/chat"}
	b, err := bridge.New(bridge.Config{
		Limits: engine.Limits{PongTimeout: testkit.PongTimeout},
		Broker: []string{"amqp://127.0.0.1:1/"}, Logger: slog.New(slog.DiscardHandler),
		Dialects: []dialect.Mount{{Place: place, New: func(host dialect.Host) (dialect.Dialect, error) {
			var err error
			h.spoken, err = New(&cfg, place, host)
			h.sequence = rooms.NewSequencer(func(m *rooms.Message) { h.spoken.Deliver(m) }, nil)
			return h.spoken, err
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = ln.Addr().String()
	if err := b.Listen(ln); err != nil {
		t.Fatal(err)
	}
	return h
}

// publish publishes on a Redis channel.
func (h *harness) publish(channel string, body []byte) {
	h.t.Helper()
	messages, err := h.source.Decode(channel, body)
	if err != nil {
		h.t.Fatal(err)
	}
	h.sequence.Take(messages...)
}

// send publishes a text for rooms.
func (h *harness) send(names, text string) {
	h.t.Helper()
	h.publish(sendChannel, []byte(names+"\x00"+text))
}

// page is a client.
type page struct{ *testkit.WebSocket }

// connect connects, or returns nil and the status with which it is refused.
func (h *harness) connect(target string) (*page, int) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), testkit.Patience)
	defer cancel()
	conn, err := testkit.OpenWebSocket(ctx, ws.Dialer{}, "ws://"+h.addr+target)
	if err != nil {
		var status ws.StatusError
		if !errors.As(err, &status) {
			h.t.Fatal(err)
		}
		return nil, int(status)
	}
	h.t.Cleanup(func() { conn.Close() })
	return &page{conn}, 101
}

// enters connects, and must be let in.
func (h *harness) enters(target string) *page {
	h.t.Helper()
	p, status := h.connect(target)
	if p == nil {
		h.t.Fatalf("%s is refused with %d", target, status)
	}
	return p
}

// gets compares the next frame.
func (p *page) gets(want []byte) error {
	if err := p.wait(); err != nil {
		return err
	}
	f, err := testkit.ReadFrame(p)
	if err != nil {
		return err
	}
	if f.Header.OpCode != ws.OpBinary || !bytes.Equal(f.Payload, want) {
		return fmt.Errorf("it got %x %.80q, want %.80q", f.Header.OpCode, f.Payload, want)
	}
	return nil
}

// awaitEmpty waits until all clients are forgotten.
func (h *harness) awaitEmpty() {
	h.t.Helper()
	s := h.spoken.(*service)
	testkit.WaitUntil(h.t, "a client is not forgotten", func() bool { return len(s.groups.all()) == 0 })
	if s.groups.memberships != 0 || len(s.groups.byPath) != 0 {
		h.t.Errorf("of the groups there are left %d places, %v", s.groups.memberships, s.groups.byPath)
	}
}

// wait bounds how long the next frame is awaited.
func (p *page) wait() error { return p.SetReadDeadline(time.Now().Add(testkit.Patience)) }
