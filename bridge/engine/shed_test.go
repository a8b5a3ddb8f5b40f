package engine

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

const mib = 1 << 20

// heapInUse returns n frames of a megabyte that nothing else refers to.
func heapInUse(n int) []Frame {
	frames := make([]Frame, n)
	for i := range frames {
		frames[i] = Text(strings.Repeat("x", mib))
	}
	return frames
}

func TestTheLargestQueueIsClosedFirst(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 2, closeTimeout: testkit.Patience, Limits: Limits{MaxOutbound: 48 * mib}})
		_, small := s.dialConn(t)
		large, most := s.dialConn(t)
		_, last := s.dialConn(t)
		small.Follow(nil, heapInUse(10)...)
		most.Follow(nil, heapInUse(30)...)
		testkit.WaitUntil(t, "all of it is counted", func() bool { return s.Stats().Outbound > 30*mib })
		if len(s.closed) > 0 {
			t.Fatalf("closed within the bound: %v", testkit.Receive(t, s.closed))
		}
		last.Follow(nil, heapInUse(20)...)
		if note := testkit.Receive(t, s.closed); note != (closeNote{1008, reasonLargestQueue}) {
			t.Fatalf("closed with %v", note)
		}
		if reason := large.expectClose(1008); reason != reasonLargestQueue {
			t.Errorf("the one for which most waited gets %q", reason)
		}
		testkit.WaitUntil(t, "what waits is within the bound", func() bool { return s.Stats().Outbound <= 48*mib })
		if st := s.Stats(); st.SlowCloses != 1 || st.Connections != 2 {
			t.Errorf("%d are closed, %d are there", st.SlowCloses, st.Connections)
		}
	})
}

func TestManyClientsThatDoNotReadShareOneBound(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		const most = 16 * mib
		s := start(Config{Loops: 2, Limits: Limits{MaxOutbound: most}})
		honest := s.dial(t)
		for range 10 {
			c := s.dialTCP(t)
			c.upgrade("/")
			testkit.Receive(t, s.opened).Follow(nil, heapInUse(10)...)
		}
		testkit.WaitUntil(t, "the largest queues are closed", func() bool {
			st := s.Stats()
			return st.SlowCloses >= 5 && st.Outbound <= most
		})
		s.log.Append(Text("news"))
		honest.expect("news")
	})
}

func TestAFrameInManyQueuesIsCountedOnce(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		const loops = 2
		s := start(Config{Loops: loops, Limits: Limits{MaxOutbound: loops * 10 * mib, LogAge: time.Hour, PingAfter: time.Hour}})
		snapshot := heapInUse(8)
		var clients []*client
		for range 20 {
			c, conn := s.dialConn(t)
			conn.Follow(nil, snapshot...)
			clients = append(clients, c)
		}
		for _, c := range clients {
			for range snapshot {
				if f := c.frame(); f.Header.OpCode != ws.OpText {
					t.Fatalf("got opcode %d", f.Header.OpCode)
				}
			}
		}
		testkit.WaitUntil(t, "nothing waits", func() bool { return s.Stats().Outbound == 0 })
		if n := s.Stats().SlowCloses; n > 0 {
			t.Errorf("%d clients are closed", n)
		}
	})
}

func TestAClosedConnectionsQueueIsNotCounted(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 2})
		for i := range 4 {
			c, conn := s.dialConn(t)
			conn.Follow(nil, heapInUse(10)...)
			testkit.WaitUntil(t, "it is counted", func() bool { return s.Stats().Outbound > 0 })
			if i%2 == 0 {
				conn.Close(1000, "")
			}
			c.Close()
			testkit.Receive(t, s.closed)
			testkit.WaitUntil(t, "it is forgotten", func() bool { return s.Stats().Outbound == 0 })
		}
	})
}

func TestReadingFromAClientThatDoesNotReadIsPaused(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		const messages, size = 1000, 64 << 10
		var answered atomic.Int32
		s := start(Config{Loops: 1, Limits: Limits{MessageRate: messages}}, func(s *server) {
			s.message = func(c Conn, m Message) {
				if string(m.Payload) == "fence" {
					c.Send(Text("fence"))
					return
				}
				answered.Add(1)
				c.Follow(nil, Text(fmt.Sprintf("%s %0*d", m.Payload, size, 0)))
			}
		})
		s.mute.Store(true)
		other := s.dialTCP(t)
		other.upgrade("/")
		c := s.dialTCP(t)
		c.upgrade("/")
		_ = c.SetDeadline(time.Now().Add(6 * testkit.Patience)) // 64 MB are read
		var all []byte
		for i := range messages {
			all = append(all, text(fmt.Sprint(i))...)
		}
		c.send(all)
		testkit.WaitUntil(t, "answers wait", func() bool { return s.Stats().Outbound > maxOutbound })
		for range 50 { // turns in which more could be read
			other.send(text("fence"))
			other.expect("fence")
		}
		// No more than the sockets hold, and a turn.
		if n := answered.Load(); n >= messages/2 {
			t.Errorf("%d of %d messages of a client that does not read are answered", n, messages)
		}
		for i := range messages {
			f := c.frame()
			if want := fmt.Sprint(i, " "); !strings.HasPrefix(string(f.Payload), want) {
				t.Fatalf("got opcode %d with %.20q, want %q", f.Header.OpCode, f.Payload, want)
			}
		}
	})
}

func TestAClientThatSendsMuchBeforeItReadsIsServed(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1, Limits: Limits{MessageRate: 10_000}}, func(s *server) {
			s.message = func(c Conn, m Message) { c.Send(Text(string(m.Payload))) }
		})
		s.mute.Store(true)
		c := s.dialTCP(t)
		c.upgrade("/")
		const n = 2000
		for i := range n {
			c.send(text(fmt.Sprintf("%0400d", i)))
		}
		for i := range n {
			c.expect(fmt.Sprintf("%0400d", i))
		}
	})
}
