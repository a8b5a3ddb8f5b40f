package engine

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
)

// noise returns incompressible text.
func noise(n int) []byte {
	rng := rand.NewChaCha8([32]byte{1})
	p := make([]byte, n)
	rng.Read(p) // it never fails
	return p
}

// envelope returns text of about n bytes that compresses like a reply.
func envelope(i, n int) string {
	s := fmt.Sprintf(`{"headers": {"command_id": null, "sender": "weather", "message_code": "i"}, "seq": %d, "body": {`, i)
	for k := 0; len(s) < n; k++ {
		s += fmt.Sprintf(`"sensor_%d": %d.25, `, k, (i*7919+k*104729)%10000)
	}
	return s + `"end": 0}}`
}

// dialDeflate connects a client that negotiates compression.
func (s *server) dialDeflate(t *testing.T) *client {
	t.Helper()
	c := s.dialTCP(t)
	c.send(offering("permessage-deflate; client_max_window_bits"))
	resp := c.response()
	if resp.StatusCode != http.StatusSwitchingProtocols || !strings.HasPrefix(resp.Header.Get("Sec-WebSocket-Extensions"), permessageDeflate) {
		t.Fatalf("answered %s with %q", resp.Status, resp.Header)
	}
	receive(t, s.opened)
	return c
}

func TestCompressedMessagesArrive(t *testing.T) {
	onBoth(t, func(t *testing.T, start starter) {
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
				if got := receive(t, s.messages); got != want {
					t.Fatalf("%s: got %.80q, want %.80q", how, got, want)
				}
			}
		}
	})
}

func TestManyClientsSendCompressedMessagesAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, start starter) {
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
			want[receive(t, s.messages)]--
		}
		for m, n := range want {
			if n != 0 {
				t.Fatalf("%d of %.80q are missing", n, m)
			}
		}
	})
}

func TestInvalidCompressedDataEndsOnlyItsOwnConnection(t *testing.T) {
	onBoth(t, func(t *testing.T, start starter) {
		s := start(Config{Compress: true, Limits: Limits{MaxMessage: 1000}})
		good := s.dialDeflate(t)
		for _, rubbish := range []struct {
			name  string
			bytes []byte
			code  ws.StatusCode
		}{
			{"a bomb", deflated(true, strings.Repeat("x", 1<<20)), 1009},
			{"garbage", marked(true, ws.OpText, "hello, I am plain"), 1007},
			{"no UTF-8", deflated(true, "\xff"), 1007},
			{"a compressed ping", marked(true, ws.OpPing, "x"), 1002},
		} {
			c := s.dialDeflate(t)
			c.send(rubbish.bytes)
			reason := c.expectClose(rubbish.code)
			if note := receive(t, s.closed); note != (closeNote{int(rubbish.code), reason}) {
				t.Errorf("%s: the handler was told %v", rubbish.name, note)
			}
		}
		plain := s.dial(t)
		plain.send(deflated(true, "I did not negotiate"))
		plain.expectClose(1002)
		receive(t, s.closed)

		good.send(deflated(true, "still here"))
		if got := receive(t, s.messages); got != "still here" {
			t.Fatalf("got %q", got)
		}
		s.log.Append(Text(envelope(1, 1000)))
		good.expectText(envelope(1, 1000), true)
	})
}
