package engine

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// dialDeflate connects a client that negotiates compression.
func (s *server) dialDeflate(t *testing.T) *client {
	t.Helper()
	c := s.dialTCP(t)
	c.send(offering("permessage-deflate; client_max_window_bits"))
	resp := c.response()
	if resp.StatusCode != http.StatusSwitchingProtocols || !strings.HasPrefix(resp.Header.Get("Sec-WebSocket-Extensions"), permessageDeflate) {
		t.Fatalf("answered %s with %q", resp.Status, resp.Header)
	}
	testkit.Receive(t, s.opened)
	return c
}

func TestCompressedMessagesArrive(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		const limit = 200_000
		s := start(Config{Compress: true, Limits: Limits{MaxMessage: limit}})
		c := s.dialDeflate(t)
		for _, want := range []string{"dome open", "", "größer", envelope(1, 3000), strings.Repeat("x", limit), envelope(2, limit-1000)} {
			packed := pack(want)
			half := len(packed) / 2
			c.send(
				marked(true, ws.OpText, packed),
				marked(false, ws.OpText, packed[:half]), masked(true, ws.OpPing, ""), masked(true, ws.OpContinuation, packed[half:]),
				text(want),
			)
			for _, how := range []string{"in one frame", "in two", "plain"} {
				if got := testkit.Receive(t, s.messages); got != want {
					t.Fatalf("%s: got %.80q, want %.80q", how, got, want)
				}
			}
		}
	})
}

func TestManyClientsSendCompressedMessagesAtOnce(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		const clients, messages = 8, 30
		s := start(Config{Loops: 2, Compress: true})
		var sending sync.WaitGroup
		for i := range clients {
			c := s.dialDeflate(t)
			sending.Go(func() {
				for n := range messages {
					if _, err := c.Write(deflated(true, envelope(i, n*60))); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		sending.Wait()
		want := map[string]int{}
		for i := range clients {
			for n := range messages {
				want[envelope(i, n*60)]++
			}
		}
		for range clients * messages {
			want[testkit.Receive(t, s.messages)]--
		}
		for m, n := range want {
			if n != 0 {
				t.Fatalf("%d of %.80q are missing", n, m)
			}
		}
	})
}

func TestInvalidCompressedDataEndsOnlyItsOwnConnection(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Compress: true, Limits: Limits{MaxMessage: 1000}})
		good := s.dialDeflate(t)
		for _, garbage := range []struct {
			name  string
			bytes []byte
			code  ws.StatusCode
		}{
			{"a bomb", deflated(true, strings.Repeat("x", 1<<20)), 1009},
			{"garbage", marked(true, ws.OpText, "hello, not TLS"), 1007},
			{"not UTF-8", deflated(true, "\xff"), 1007},
			{"a compressed ping", marked(true, ws.OpPing, "x"), 1002},
		} {
			c := s.dialDeflate(t)
			c.send(garbage.bytes)
			reason := c.expectClose(garbage.code)
			if note := testkit.Receive(t, s.closed); note != (closeNote{int(garbage.code), reason}) {
				t.Errorf("%s: the handler got %v", garbage.name, note)
			}
		}
		plain := s.dial(t)
		plain.send(deflated(true, "I did not negotiate"))
		plain.expectClose(1002)
		testkit.Receive(t, s.closed)

		good.send(deflated(true, "still here"))
		if got := testkit.Receive(t, s.messages); got != "still here" {
			t.Fatalf("got %q", got)
		}
		s.log.Append(Text(envelope(1, 1000)))
		good.expectText(envelope(1, 1000), true)
	})
}
