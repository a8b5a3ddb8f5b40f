//go:build unix

package engine

import (
	"bytes"
	"testing"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestAParserIsReturnedCleanWhenItsConnectionBreaks(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		for name, flood := range map[string][]byte{
			"messages":  bytes.Repeat(text("x"), 2*burstSeconds),
			"pings":     bytes.Repeat(masked(true, ws.OpPing, ""), 2*burstSeconds),
			"fragments": append(masked(false, ws.OpText, "x"), bytes.Repeat(masked(false, ws.OpContinuation, ""), 2*burstSeconds*fragmentsPerMessage)...),
		} {
			t.Run(name, func(t *testing.T) {
				s := start(Config{Loops: 1, Limits: Limits{MessageRate: 1}})
				s.dial(t)
				l := s.loops[0]
				ended := make(chan bool)
				l.mail.post(func() {
					var c *conn
					l.conns.each(func(open *conn) { c = open })
					// No close frame can be written, so closing drops the connection at
					// once.
					_ = unix.Shutdown(int(c.fd), unix.SHUT_WR)
					l.quantum = 1 << 30
					l.parse(c, append(flood, 0x81)) // and half a header
					ended <- c.state == stateFree
				})
				if !testkit.Receive(t, ended) {
					t.Fatal("the connection has not ended")
				}
				c := s.dial(t) // reuses the parser
				c.send(text("hello"))
				for got := ""; got != "hello"; {
					got = testkit.Receive(t, s.messages)
				}
			})
		}
	})
}
