//go:build unix

package engine

import (
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Frames that may wait for an hour leave, in order, with one that may not.
func TestDelayedFramesLeaveWithAnImmediateOne(t *testing.T) {
	for name, next := range map[string]func(s *server, c Conn){
		"appended":           func(s *server, _ Conn) { s.log.Append(Text("next")) },
		"appended with less": func(s *server, _ Conn) { s.log.AppendWithin(Text("next"), time.Millisecond) },
		"sent":               func(_ *server, c Conn) { c.Send(Text("next")) },
		"said":               func(_ *server, c Conn) { c.SendInOrder(Text("next")) },
		"another log":        func(s *server, c Conn) { c.Follow(s.NewLog(), Text("next")) },
		"nothing to follow":  func(_ *server, c Conn) { c.Follow(nil, Text("next")) },
	} {
		t.Run(name, func(t *testing.T) {
			onPollers(t, func(t *testing.T, start starter) {
				s := start(Config{Loops: 1})
				c, conn := s.dialConn(t)
				s.log.AppendWithin(Text("one"), time.Hour)
				s.log.AppendWithin(Text("two"), time.Hour)
				next(s, conn)
				c.expect("one")
				c.expect("two")
				c.expect("next")
			})
		})
	}
}

func TestDelayedFramesLeaveInOneWrite(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		const clients, frames = 20, 50
		s := start(Config{Loops: 2, Compress: true})
		var all []*client
		for i := range clients {
			if i%2 == 0 {
				all = append(all, s.dialDeflate(t))
				continue
			}
			all = append(all, s.dial(t))
		}
		s.log.Append(Text("hello"))
		for _, c := range all {
			c.expect("hello")
		}
		testkit.WaitUntil(t, "hello is counted", func() bool { return s.Stats().Delivered == clients })
		before := s.Stats().Writes
		for i := range frames {
			s.log.AppendWithin(Text(strconv.Itoa(i)), time.Hour)
		}
		s.log.Append(Text("end"))
		for _, c := range all {
			for i := range frames {
				c.expect(strconv.Itoa(i))
			}
			c.expect("end")
		}
		testkit.WaitUntil(t, "all is counted", func() bool { return s.Stats().Delivered == clients*(frames+2) })
		if n := s.Stats().Writes - before; n > clients {
			t.Errorf("%d frames to %d clients took %d writes", frames+1, clients, n)
		}
	})
}

func TestADelayedFrameLeavesWhenItIsDue(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 2})
		c := s.dial(t)
		for i := range 20 {
			s.log.AppendWithin(Text(strconv.Itoa(i)), 5*time.Millisecond)
			c.expect(strconv.Itoa(i))
		}
	})
}

func TestANewFollowerGetsOnlyLaterDelayedFrames(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1})
		first := s.dial(t)
		s.log.AppendWithin(Text("one"), time.Hour)
		second, conn := s.dialConn(t)
		s.log.AppendWithin(Text("two"), time.Hour)
		third, thirds := s.dialConn(t)
		thirds.Follow(nil)
		conn.SendInOrder(Text("answer")) // does not flush the others
		second.expect("two")
		second.expect("answer")
		thirds.Send(Text("nothing"))
		third.expect("nothing")
		s.log.Append(Text("three"))
		second.expect("three")
		for _, want := range []string{"one", "two", "three"} {
			first.expect(want)
		}
	})
}

func TestDelayedFramesGoOutBeforeTheClose(t *testing.T) {
	for name, end := range map[string]func(s *server, c *client, conn Conn){
		"of the server": func(_ *server, _ *client, conn Conn) { conn.Close(1000, "enough") },
		"of the client": func(_ *server, c *client, _ Conn) { c.send(closing(1000)) },
		"of everything": func(s *server, _ *client, _ Conn) { go s.Shutdown(t.Context(), "the end") },
	} {
		t.Run(name, func(t *testing.T) {
			onPollers(t, func(t *testing.T, start starter) {
				s := start(Config{Loops: 1})
				c, conn := s.dialConn(t)
				s.log.AppendWithin(Text("last"), time.Hour)
				end(s, c, conn)
				c.expect("last")
			})
		})
	}
}

func TestManyBytesAreNotDelayed(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1, Limits: Limits{LogBytes: 8 << 10}})
		c := s.dial(t)
		text := string(make([]byte, 1000))
		for range 3 {
			s.log.AppendWithin(Text(text), time.Hour)
		}
		for range 3 { // more than a quarter of what the log may keep
			c.expect(text)
		}
	})
}

func TestNothingIsDelayedWithoutFollowers(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1})
		c, conn := s.dialConn(t)
		l := s.loops[0]
		s.log.AppendWithin(Text("one"), math.MaxInt64)
		var held bool
		l.do(func() { held = s.log.rings[0].delayed() })
		if !held {
			t.Error("what may wait for ever has left")
		}
		conn.Send(Text("two"))
		c.expect("one")
		c.expect("two")
	})
}

// The current pass has visited some followers but not others.
func TestAFrameSentDuringAPassDoesNotOvertakeDelayedFrames(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1})
		conns := make([]Conn, sweepSlice+2)
		clients := make([]*client, len(conns))
		for i := range conns {
			clients[i], conns[i] = s.dialConn(t)
		}
		l := s.loops[0]
		l.mail.post(func() {
			s.log.Append(Text("one"))
			l.mail.post(func() { // in the turn in which the pass begins
				s.log.AppendWithin(Text("two"), time.Hour)
				for _, c := range conns {
					c.Send(Text("three"))
				}
			})
		})
		for _, c := range clients {
			var received []string
			for len(received) == 0 || received[len(received)-1] != "three" {
				received = append(received, string(c.frame().Payload))
			}
			if !slices.Contains(received, "two") {
				t.Fatalf("a client received %v", received)
			}
		}
	})
}
