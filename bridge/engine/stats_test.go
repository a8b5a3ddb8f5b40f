package engine

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// countingConn counts the bytes that a client reads.
type countingConn struct {
	net.Conn
	read atomic.Uint64
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(uint64(n))
	return n, err
}

func TestStatsCountFramesAndMessages(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 2})
		var clients []*client
		var sockets []*countingConn
		var conns []Conn
		for range 3 {
			c := s.dialTCP(t)
			socket := &countingConn{Conn: c.Conn}
			c.Conn = socket
			c.r.Reset(socket)
			c.upgrade("/")
			clients, sockets = append(clients, c), append(sockets, socket)
			conns = append(conns, testkit.Receive(t, s.opened))
		}
		// Runs and frames that the socket splits are counted once.
		const runs = 1000
		for range runs {
			s.log.Append(Text(strings.Repeat("x", 5000)))
		}
		for _, frame := range []string{"one", strings.Repeat("x", 8<<20), "two"} {
			s.log.Append(Text(frame))
		}
		const sent = runs + 3
		conns[0].Follow(s.log, Text("first"), Text("second"))
		conns[0].Send(Text("answer"))
		clients[1].send(masked(true, ws.OpPing, "no message"), text("a"), text("b"))
		testkit.Receive(t, s.messages)
		testkit.Receive(t, s.messages)
		for i, c := range clients {
			frames := []int{sent + 3, sent + 1, sent}[i] // including the pong
			for range frames {
				c.frame()
			}
		}
		var read uint64
		for _, socket := range sockets {
			read += socket.read.Load()
		}
		// Counters are published at the end of a turn.
		testkit.WaitUntil(t, "all is counted", func() bool {
			st := s.Stats()
			return st.Delivered == 3*sent+3 && st.Bytes == read && st.Received == 2 && st.Accepted == 3
		})
		// A rejected request is no upgrade, and its response is no frame.
		bad := s.dialTCP(t)
		bad.send([]byte(strings.Replace(upgradeRequest, "Version: 13", "Version: 8", 1)))
		answer, err := io.ReadAll(bad.r)
		if err != nil {
			t.Fatal(err)
		}
		testkit.WaitUntil(t, "the answer is counted", func() bool { return s.Stats().Bytes == read+uint64(len(answer)) })
		if st := s.Stats(); st.Delivered != 3*sent+3 || st.Accepted != 3 {
			t.Errorf("the engine counts %+v", st)
		}
	})
}

func TestStatsReportTheBacklog(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1, Limits: Limits{LogAge: time.Hour, PingAfter: time.Hour}})
		c := s.dial(t) // reads nothing
		frame := Text(strings.Repeat("x", 1<<20))
		for range 12 {
			s.log.Append(frame)
		}
		testkit.WaitUntil(t, "the backlog is reported", func() bool {
			n := s.Stats().Backlog
			return n > 0 && n <= 12*len(frame) && n%len(frame) == 0
		})
		c.Close()
		testkit.Receive(t, s.closed)
		s.log.Append(frame) // releases what is no longer followed
		testkit.WaitUntil(t, "the backlog is gone", func() bool { return s.Stats().Backlog == 0 })
	})
}

func TestALagIsCountedInItsBucket(t *testing.T) {
	var loop counters
	for _, delay := range []time.Duration{0, time.Millisecond, time.Millisecond + 1, time.Second, time.Second + 1, time.Hour} {
		loop.recordLag(delay)
	}
	var h Lag
	h.add(&loop)
	h.add(&loop) // another one's
	if h.Counts != [11]uint64{4, 2, 0, 0, 0, 0, 0, 0, 0, 2, 4} || h.Count != 12 || int(h.Sum) != 2*3602 {
		t.Errorf("got %+v", h)
	}
}
