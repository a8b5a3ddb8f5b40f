package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// dialConn connects a client and returns the server's handle for it.
func (s *server) dialConn(t *testing.T) (*client, Conn) {
	t.Helper()
	c := s.dialTCP(t)
	c.upgrade("/")
	return c, testkit.Receive(t, s.opened)
}

// mover is a client that is moved from log to log, and what it should receive.
type mover struct {
	*client
	conn Conn
	log  *Log
	want []string
}

func TestMovingFromLogToLogLosesAndDuplicatesNothing(t *testing.T) {
	for _, compress := range []bool{false, true} {
		inEveryWay(t, func(t *testing.T, start starter) {
			s := start(Config{Loops: 2, Compress: compress, Limits: Limits{LogBytes: 64 << 20}})
			movers := make([]*mover, 12)
			for i := range movers {
				m := &mover{client: s.dialTCP(t), log: s.log}
				m.client.send(offering("permessage-deflate"))
				m.client.response()
				m.conn = testkit.Receive(t, s.opened)
				movers[i] = m
			}
			script(s, movers)
			var reading sync.WaitGroup
			for i, m := range movers {
				reading.Go(func() {
					for k, want := range m.want {
						f, err := readFrame(m.r)
						if err != nil {
							t.Errorf("mover %d, frame %d: %v, want %.40q", i, k, err, want)
							return
						}
						if got, _, err := unpack(f); err != nil || got != want {
							t.Errorf("mover %d, frame %d: got %.40q, %v, want %.40q", i, k, got, err, want)
							return
						}
					}
				})
			}
			reading.Wait()
		})
	}
}

// script appends to logs and moves clients between them at random. The clients' sockets
// soon fill up, because no client reads yet.
func script(s *server, movers []*mover) {
	rng := rand.New(rand.NewPCG(1, 2))
	logs := []*Log{nil, s.log, s.NewLog(), s.NewLog()}
	pad := envelope(1, 150_000)
	expect := func(what string) string {
		size := rng.IntN(2000)
		if rng.IntN(10) == 0 {
			size = rng.IntN(len(pad))
		}
		return fmt.Sprintf("%s %d %s", what, rng.Uint64(), pad[:size])
	}
	for range 500 {
		if log := logs[rng.IntN(len(logs))]; log != nil && rng.IntN(3) > 0 {
			text := expect("log")
			log.Append(Text(text))
			for _, m := range movers {
				if m.log == log {
					m.want = append(m.want, text)
				}
			}
			continue
		}
		to := logs[rng.IntN(len(logs))]
		var first []string
		var frames []Frame
		for range rng.IntN(3) {
			text := expect("first")
			first, frames = append(first, text), append(frames, Text(text))
		}
		for _, m := range movers {
			switch rng.IntN(8) {
			case 0:
				m.conn.Follow(to, frames...)
				m.log, m.want = to, append(m.want, first...)
			case 1:
				m.conn.SendInOrder(frames...)
				m.want = append(m.want, first...)
			}
		}
	}
}

func TestAFrameSentAfterFollowComesAfterItsFirstFrames(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		c, conn := s.dialConn(t)
		pad := strings.Repeat("x", 100_000)
		log := s.NewLog()
		var want []string
		for i := range 100 { // more than the socket takes
			s.log.Append(Text(fmt.Sprintf("old %d %s", i, pad)))
			want = append(want, fmt.Sprintf("old %d %s", i, pad))
		}
		conn.Follow(log, Text("first "+pad), Text("second "+pad))
		conn.Send(Text("answer"))
		log.Append(Text("new"))
		for _, text := range append(want, "first "+pad, "second "+pad, "answer", "new") {
			c.expect(text)
		}
	})
}

func TestAConnectionMayFollowNothing(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		c, conn := s.dialConn(t)
		good := s.dial(t)
		s.log.Append(Text("before"))
		conn.Follow(nil, Text("goodbye"))
		s.log.Append(Text("after"))
		good.expect("before")
		good.expect("after")
		c.expect("before")
		c.expect("goodbye")
		conn.Follow(s.log)
		s.log.Append(Text("again"))
		c.expect("again")
	})
}

func TestAHandlerMayChangeTheLogInOpen(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		var other *Log
		s := start(Config{}, func(s *server) {
			other = s.NewLog()
			s.open = func(c Conn) { c.Follow(other, Text("welcome")) }
		})
		c, _ := s.dialConn(t)
		s.log.Append(Text("for nobody"))
		other.Append(Text("news"))
		c.expect("welcome")
		c.expect("news")
	})
}

func TestAConnectionThatHasEndedFollowsNothing(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1, Compress: true})
		a, conn := s.dialConn(t)
		a.Close()
		testkit.Receive(t, s.closed)
		other := s.NewLog()
		conn.Follow(other, Text("for nobody"))
		b := s.dial(t) // reuses the slot
		other.Append(Text("for nobody"))
		s.log.Append(Text("for all"))
		b.expect("for all")
		if other.deflated.hasFollowers() {
			t.Error("frames are compressed for a connection that has ended")
		}
	})
}

func TestManyMegabytesOfFirstFramesCloseNoClientThatReads(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1})
		c, conn := s.dialConn(t)
		other, shared := s.dial(t), Text(strings.Repeat("x", 1<<20))
		first := make([]Frame, 32)
		for i := range first {
			first[i] = shared
		}
		log := s.NewLog()
		conn.Follow(log, first...)
		conn.Send(Text("answer"))
		log.Append(Text("new"))
		s.log.Append(Text("for the others"))
		other.expect("for the others")
		for range first {
			if f := c.frame(); len(f.Payload) != 1<<20 {
				t.Fatalf("got %d bytes: %.50q", len(f.Payload), f.Payload)
			}
		}
		c.expect("answer")
		c.expect("new")
	})
}

func TestAClientThatReadsNoneOfItsFirstFramesIsClosed(t *testing.T) {
	for name, skip := range map[string]func(any, uint64) Frame{"closing": nil, "skipping": func(any, uint64) Frame { return nil }} {
		t.Run(name, func(t *testing.T) {
			inEveryWay(t, func(t *testing.T, start starter) {
				s := start(Config{Skip: skip, closeTimeout: testkit.Patience, Limits: Limits{LogAge: 500 * time.Millisecond}})
				c, conn := s.dialConn(t)
				shared := Text(strings.Repeat("x", 1<<20))
				conn.Follow(s.NewLog(), shared, shared, shared, shared, shared, shared, shared, shared, shared, shared, shared, shared)
				if note := testkit.Receive(t, s.closed); note != (closeNote{1008, reasonTooSlow}) {
					t.Fatalf("closed with %v", note)
				}
				if n := s.Stats().SlowCloses; n != 1 {
					t.Errorf("%d slow closes are counted", n)
				}
				c.expectClose(1008) // after whole frames
			})
		})
	}
}

func TestAClientLagsWhileItStillReadsItsFirstFrames(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{closeTimeout: testkit.Patience, Limits: Limits{LogBytes: 1 << 20}})
		slow, conn := s.dialConn(t)
		good := s.dial(t)
		shared := Text(strings.Repeat("x", 1<<20))
		conn.Follow(s.log, shared, shared, shared, shared, shared, shared, shared, shared, shared, shared, shared, shared)
		frame := strings.Repeat("x", 100_000)
		for deadline := time.Now().Add(testkit.Patience); len(s.closed) == 0; {
			s.log.Append(Text(frame))
			good.expect(frame)
			if time.Now().After(deadline) {
				t.Fatal("the slow client is still there")
			}
		}
		slow.expectClose(1008)
	})
}

func TestChangingTheLogRepeatedlyQueuesBoundedFrames(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		_, conn := s.dialConn(t)
		shared := Text(strings.Repeat("x", 1<<20))
		first := make([]Frame, 50)
		for i := range first {
			first[i] = shared
		}
		for range 3 {
			conn.Follow(s.log, first...)
		}
		if note := testkit.Receive(t, s.closed); note != (closeNote{1008, reasonTooSlow}) {
			t.Fatalf("closed with %v", note)
		}
	})
}

func TestALaggedClientGetsTheNoticeBeforeItsNewLog(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{LogBytes: 1 << 20}, Skip: func(_ any, n uint64) Frame {
			return Text(fmt.Sprintf("missed %d", n))
		}})
		slow, conn := s.dialConn(t)
		good := s.dial(t)
		pad := strings.Repeat("x", 100_000)
		const frames = 300
		for i := range frames {
			s.log.Append(Text(fmt.Sprintf("%d %s", i, pad)))
			good.frame()
		}
		log := s.NewLog()
		conn.Follow(log, Text("first"))
		conn.Send(Text("answer"))
		log.Append(Text("new"))
		next, notices := 0, 0
		for next < frames {
			text := string(slow.frame().Payload)
			var n int
			if _, err := fmt.Sscanf(text, "missed %d", &n); err == nil {
				next += n
				notices++
				continue
			}
			if _, err := fmt.Sscanf(text, "%d ", &n); err != nil || n != next {
				t.Fatalf("got %.30q instead of frame %d", text, next)
			}
			next++
		}
		// The kernel may take some more meanwhile, so the client may lag once more.
		if next != frames || notices == 0 || s.Stats().Skips != notices {
			t.Errorf("%d frames are accounted for, with %d notices; the engine counts %+v", next, notices, s.Stats())
		}
		slow.expect("first")
		slow.expect("answer")
		slow.expect("new")
	})
}
