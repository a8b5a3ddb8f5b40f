package jararaca

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// move is something that an application or a backend does, and which clients get it from Jararaca, how often.
type move struct {
	what string
	do   func()
	gets map[string]int
}

// Jararaca itself and the bridge hear the same Redis: their clients get the same frames, but for those that Jararaca sends
// twice.
func TestClientsGetWhatJararacaItselfSends(t *testing.T) {
	redis := testkit.StartRedis(t)
	ours := startBeside(t, redis)
	theirs := &harness{t: t, addr: testkit.StartJararaca(t, redis.URL(), broadcastChannel, sendChannel)}
	testkit.WaitUntil(t, "the bridge does not hear Redis", func() bool {
		n, ok := redis.Do("PUBLISH", sendChannel, "nobody\x00").(int64)
		return ok && n == 2
	})
	pages := map[string][2]*page{}
	for name, target := range map[string]string{"a": "/chat/ws?rooms=a", "both": "/chat/ws?rooms=a|b", "none": "/chat/ws"} {
		mine, other := ours.enters(target), theirs.enters(target)
		if err := other.gets([]byte("joined")); err != nil { // the application says so
			t.Fatal(err)
		}
		pages[name] = [2]*page{mine, other}
	}
	post := func(target string) func() { return func() { theirs.post(target) } }
	publish := func(channel, body string) func() { return func() { redis.Do("PUBLISH", channel, body) } }
	for _, m := range []move{
		{"send to a", post("/chat/send?rooms=a&text=hi"), map[string]int{"a": 1, "both": 1}},
		{"send to a and b", post("/chat/send?rooms=a|b&text=%C3%A9%F0%9F%98%80%3C%22"), map[string]int{"a": 1, "both": 2}},
		{"send to b twice", post("/chat/send?rooms=b|b&text="), map[string]int{"both": 1}},
		{"broadcast", post("/chat/broadcast?text=all"), map[string]int{"a": 1, "both": 1, "none": 1}},
		{"bytes", publish(broadcastChannel, "\xff\xfe\x00"), map[string]int{"a": 1, "both": 1, "none": 1}},
		{"no bytes", publish(broadcastChannel, ""), map[string]int{"a": 1, "both": 1, "none": 1}},
		{"bytes to b", publish(sendChannel, "b\x00\xff"), map[string]int{"both": 1}},
		{"to nobody", publish(sendChannel, "c\x00x"), nil},
		{"the end", publish(broadcastChannel, "the end"), map[string]int{"a": 1, "both": 1, "none": 1}},
	} {
		m.do()
		for name, n := range m.gets {
			want := pages[name][1].next(t, m.what)
			for range n - 1 {
				if again := pages[name][1].next(t, m.what); !bytes.Equal(again, want) {
					t.Errorf("%s: Jararaca sends %q after %q", m.what, again, want)
				}
			}
			if err := pages[name][0].gets(want); err != nil {
				t.Errorf("%s: %s: %v", m.what, name, err)
			}
		}
	}
}

// startBeside starts a bridge that hears Redis.
func startBeside(t *testing.T, redis *testkit.Redis) *harness {
	t.Helper()
	place := dialect.Place{Path: "/chat", Rooms: "/chat"}
	cfg := &Config{Routes: []Route{{Path: "/chat/ws", Join: []string{"{?rooms}"}, Split: "|"}}}
	b, err := bridge.New(bridge.Config{
		Broker: []string{"amqp://127.0.0.1:1/"}, Logger: slog.New(slog.DiscardHandler),
		Sources:  []rooms.Source{{Path: "/chat", Format: rooms.FormatJararaca, Redis: &rooms.Redis{URL: redis.URL(), Channels: []string{sendChannel}, Broadcast: broadcastChannel}}},
		Dialects: []dialect.Mount{{Place: place, New: func(host dialect.Host) (dialect.Dialect, error) { return New(cfg, place, host) }}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Listen(ln); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = b.Run(ctx) }) // the broker is not there
	t.Cleanup(func() { stop(); running.Wait() })
	return &harness{t: t, addr: ln.Addr().String()}
}

// post makes a request to the application.
func (h *harness) post(target string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), "POST", "http://"+h.addr+target, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		h.t.Fatalf("%s is answered with %s", target, response.Status)
	}
}

// next returns the payload of the next frame, which is binary.
func (p *page) next(t *testing.T, what string) []byte {
	t.Helper()
	if err := p.wait(); err != nil {
		t.Fatal(err)
	}
	f, err := testkit.ReadFrame(p)
	if err != nil || f.Header.OpCode != ws.OpBinary {
		t.Fatalf("%s: Jararaca sends %x %q, %v", what, f.Header.OpCode, f.Payload, err)
	}
	return f.Payload
}
