//go:build unix

package engine

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestNoMessageOfManyConnectionsIsLost(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		const clients, messages = 500, 20
		var received [clients]atomic.Int32
		all := make(chan struct{})
		var left atomic.Int32
		left.Store(clients * messages)
		s := start(Config{Loops: 1, Limits: Limits{MessageRate: 1000}}, func(s *server) {
			s.message = func(c Conn, m Message) {
				var who, n int
				if _, err := fmt.Sscanf(string(m.Payload), "%d %d", &who, &n); err != nil || received[who].Load() != int32(n) {
					t.Errorf("got %q, %v after %d messages", m.Payload, err, received[who].Load())
				}
				received[who].Add(1)
				c.Send(Text(string(m.Payload)))
				if left.Add(-1) == 0 {
					close(all)
				}
			}
		})
		s.mute.Store(true)
		var running sync.WaitGroup
		for i := range clients {
			c := s.dialTCP(t)
			c.upgrade("/")
			running.Go(func() {
				for n := range messages {
					payload := fmt.Sprintf("%d %d", i, n)
					if _, err := c.Write(text(payload)); err != nil {
						t.Error(err)
						return
					}
					if f, err := readFrame(c.r); err != nil || string(f.Payload) != payload {
						t.Errorf("got %q, %v, want %q", f.Payload, err, payload)
						return
					}
				}
			})
		}
		running.Wait()
		testkit.Await(t, all)
	})
}

func TestAMessageAndAFINInOneSegmentAreBothSeen(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1})
		for n := range 100 {
			c := s.dial(t)
			c.send(text(fmt.Sprint(n)))
			if n%2 == 0 {
				c.Conn.(*net.TCPConn).CloseWrite()
			} else {
				c.Close()
			}
			if got := testkit.Receive(t, s.messages); got != fmt.Sprint(n) {
				t.Fatalf("got %q, want %d", got, n)
			}
			testkit.Receive(t, s.closed).check(t, 1006)
		}
		testkit.WaitUntil(t, "all are gone", func() bool { return s.Stats().Connections == 0 })
	})
}

func TestASlotGetsNoEventsOfItsFormerConnection(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1})
		s.mute.Store(true)
		var running sync.WaitGroup
		for range 4 {
			running.Go(func() {
				for n := range 100 {
					c, err := net.Dial("tcp", s.addr)
					if err != nil {
						t.Error(err)
						return
					}
					_ = c.SetDeadline(time.Now().Add(testkit.Patience))
					_, _ = c.Write(append([]byte(upgradeRequest), text("x")...))
					if n%3 > 0 { // otherwise it disconnects while its input is read
						_, _ = c.Read(make([]byte, 10))
					}
					if n%3 == 1 {
						_ = c.(*net.TCPConn).SetLinger(0)
					}
					c.Close()
				}
			})
		}
		running.Wait()
		testkit.WaitUntil(t, "all are gone", func() bool { return s.Stats().Connections == 0 })
		c := s.dialTCP(t)
		c.upgrade("/")
		s.log.Append(Text("news"))
		c.expect("news")
	})
}

func TestClientsThatConnectWhileAcceptingIsPausedAreServed(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1})
		l := s.loops[0]
		paused := make(chan struct{})
		l.mail.post(func() { l.acceptor.pause(unix.EMFILE); close(paused) })
		testkit.Await(t, paused)
		c := s.dialTCP(t) // in the kernel's queue, which the next tick accepts from
		c.upgrade("/")
		s.dial(t).Close()
	})
}

func TestShutdownCutsClientsThatDoNotRead(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 2})
		for range 6 {
			s.dial(t) // reads nothing
		}
		good := s.dial(t)
		frame := string(bytes.Repeat([]byte("x"), 100_000))
		for range 40 {
			s.log.Append(Text(frame))
			good.expect(frame)
		}
		good.Close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Shutdown(ctx, "now"); err == nil {
			t.Error("there were clients, but none is reported")
		}
		testkit.WaitUntil(t, "all are gone", func() bool { return s.Stats().Connections == 0 })
	})
}
