//go:build unix

package engine

import (
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestAHandlerThatEndsItsGoroutineEndsTheEngine(t *testing.T) {
	for _, where := range []string{"Accept", "Open", "Message", "Closed"} {
		t.Run(where, func(t *testing.T) {
			inEveryWay(t, func(t *testing.T, start starter) { goexitIn(t, start, where) })
		})
	}
}

func goexitIn(t *testing.T, start starter, where string) {
	log := &lockedBuffer{}
	cfg := Config{Loops: 2, Logger: slog.New(slog.NewTextHandler(log, nil))}
	s := start(cfg, func(s *server) {
		s.Engine.cfg.Handler = hanging{s, func(here string) {
			if here == where {
				runtime.Goexit()
			}
		}}
	})
	var others []*client
	for range 4 { // two on each loop
		c := s.dialTCP(t)
		c.send([]byte("GET /fine" + upgradeRequest[len("GET /"):]))
		c.response()
		others = append(others, c)
	}
	c := s.dialTCP(t)
	c.send([]byte(upgradeRequest))
	switch where {
	case "Message":
		c.send(text("hello"))
	case "Closed":
		for range len(others) + 1 {
			testkit.Receive(t, s.opened)
		}
		c.Close()
	}
	for _, c := range others {
		_, _ = io.Copy(io.Discard, c.r) // any end will do
	}
	testkit.Eventually(t, testkit.Patience, "no client is accepted", func() error {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			conn.Close()
			return io.ErrNoProgress
		}
		return nil
	})
	if err := s.Shutdown(t.Context(), "the test is over"); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "Goexit") {
		t.Errorf("the log says: %s", log)
	}
}
