//go:build unix

package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestABroadcastFromAHandlerReachesAllInOneOrder(t *testing.T) {
	t.Run("1", func(t *testing.T) {
		onPollers(t, func(t *testing.T, start starter) { broadcastFromMessage(t, start, 1) })
	})
	t.Run("2", func(t *testing.T) {
		inEveryWay(t, func(t *testing.T, start starter) { broadcastFromMessage(t, start, 2) })
	})
}

func broadcastFromMessage(t *testing.T, start starter, loops int) {
	const clients, messages, length = 4, 200, 60_000
	var s *server
	var most atomic.Int64 // bytes of mail
	// Everything fits the log, so no client lags, however it is scheduled.
	limits := Limits{LogBytes: 2 * clients * messages * length, LogAge: time.Hour, PingAfter: time.Hour, MessageRate: messages}
	s = start(Config{Loops: loops, Limits: limits}, func(s *server) {
		s.mute.Store(true)
		s.message = func(_ Conn, m Message) {
			s.log.Append(Text(string(m.Payload)))
			most.Store(max(most.Load(), int64(s.Stats().Mail)))
		}
	})
	conns := make([]*client, clients)
	for i := range conns {
		conns[i] = s.dialTCP(t)
		conns[i].upgrade("/")
	}
	testkit.WaitUntil(t, "all are there", func() bool { return s.Stats().Connections == clients })
	var busy sync.WaitGroup
	defer busy.Wait()
	received := make([][]string, clients)
	for i, c := range conns {
		c.SetDeadline(time.Now().Add(6 * testkit.Patience))
		busy.Go(func() {
			padding := strings.Repeat("x", length)
			for n := range messages {
				if _, err := c.Write(text(fmt.Sprintf("%d %d %s", i, n, padding))); err != nil {
					t.Error(err)
					return
				}
			}
		})
		busy.Go(func() {
			for range clients * messages {
				f, err := readFrame(c.r)
				if err != nil || f.Header.OpCode != ws.OpText {
					t.Errorf("after %d frames: opcode %d, %v", len(received[i]), f.Header.OpCode, err)
					return
				}
				received[i] = append(received[i], string(f.Payload[:bytes.IndexByte(f.Payload, 'x')]))
			}
		})
	}
	busy.Wait()
	if t.Failed() {
		return
	}
	checkOneOrder(t, received)
	// One message of each loop may exceed the limit.
	if bound := int64(loops * (readMailLimit + loops*(length+100))); most.Load() > bound {
		t.Errorf("%d bytes waited in the mail, want at most %d", most.Load(), bound)
	}
}

// checkOneOrder checks that all clients received the same frames in the same order, which
// keeps the order of each sender.
func checkOneOrder(t *testing.T, received [][]string) {
	t.Helper()
	next := make([]int, len(received))
	for at, payload := range received[0] {
		var from, n int
		fmt.Sscan(payload, &from, &n)
		if n != next[from] {
			t.Fatalf("client %d's message %d came where %d was due", from, n, next[from])
		}
		next[from]++
		for i := range received {
			if received[i][at] != payload {
				t.Fatalf("frame %d is %q for the first client and %q for another", at, payload, received[i][at])
			}
		}
	}
}

func TestEveryMethodOfAHandlerMayAppend(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		frame := func(what string) Frame { return Text(what + strings.Repeat(".", sourceMailLimit)) }
		h := &appender{}
		s := start(Config{Loops: 1, Limits: Limits{LogBytes: 64 << 20}}, func(s *server) {
			h.log = s.log
			h.frame = frame
			s.Engine.cfg.Handler = h // before there are connections
		})
		c := s.dialTCP(t)
		c.upgrade("/")
		c.expect(string(frame("open").Payload()))
		c.send(text("hello"))
		c.expect(string(frame("message").Payload()))
		other := s.dialTCP(t)
		other.upgrade("/")
		other.SetDeadline(time.Now().Add(testkit.Patience))
		for _, who := range []*client{c, other} {
			// The other one follows the log only from its own Accept on.
			if who == c {
				who.expect(string(frame("accept").Payload()))
			}
			who.expect(string(frame("open").Payload()))
		}
		c.send(masked(true, ws.OpClose, string(binary.BigEndian.AppendUint16(nil, 1000))))
		other.expect(string(frame("ending").Payload()))
		other.expect(string(frame("closed").Payload()))
	})
}

// appender appends to the log in every method.
type appender struct {
	log   *Log
	frame func(what string) Frame
}

func (h *appender) Accept(*Request) (Accepted, error) {
	h.log.Append(h.frame("accept"))
	return Accepted{Log: h.log}, nil
}
func (h *appender) Open(Conn, any)             { h.log.Append(h.frame("open")) }
func (h *appender) Message(Conn, any, Message) { h.log.Append(h.frame("message")) }
func (h *appender) Closing(c Conn, _ any) {
	h.log.Append(h.frame("ending"))
	c.Finish()
}
func (h *appender) Closed(Conn, any, int, string) { h.log.Append(h.frame("closed")) }

// source appends as fast as the engine accepts it.
func (s *server) source(t *testing.T, f Frame) {
	t.Helper()
	if err := s.AwaitCapacity(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.log.Append(f)
}

func TestAFastSourceWaitsForTheLoopsAndNoClientLags(t *testing.T) {
	s := start(t, Config{Loops: 2})
	c := s.dial(t)
	const frames = 800
	frame := Text(strings.Repeat("x", 100_000)) // five logs' worth in all
	var reading sync.WaitGroup
	var read atomic.Int64
	reading.Go(func() {
		for range frames {
			if f, err := readFrame(c.r); err != nil || f.Header.OpCode != ws.OpText {
				t.Errorf("after %d frames: opcode %d, %v", read.Load(), f.Header.OpCode, err)
				return
			}
			read.Add(1)
		}
	})
	for n := range frames {
		s.source(t, frame)
		if mail := s.Stats().Mail; mail > 2*(sourceMailLimit+len(frame)) {
			t.Fatalf("%d bytes wait in the mail", mail)
		}
		if n%50 == 49 { // it waits for no client
			testkit.WaitUntil(t, "the client is close", func() bool { return int64(n)-read.Load() < 50 || t.Failed() })
		}
	}
	reading.Wait()
}

func TestAwaitCapacityEndsWithItsContextOrTheEngine(t *testing.T) {
	s := start(t, Config{Loops: 1})
	stuck, release := make(chan struct{}), make(chan struct{})
	s.loops[0].mail.post(func() { close(stuck); <-release })
	<-stuck
	if err := s.AwaitCapacity(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.log.Append(Text(strings.Repeat("x", sourceMailLimit)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() { left <- s.AwaitCapacity(ctx) }()
	cancel()
	if err := testkit.Receive(t, left); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	go func() { left <- s.AwaitCapacity(t.Context()) }()
	go func() { left <- s.Shutdown(t.Context(), "over") }()
	close(release)
	for range 2 {
		if err := testkit.Receive(t, left); err != nil {
			t.Error(err)
		}
	}
}

func TestASourceThatNeverWaitsIsBoundedByTheLog(t *testing.T) {
	s := start(t, Config{Loops: 1, closeTimeout: testkit.Patience, Limits: Limits{LogBytes: 1 << 20}})
	lagging := s.dial(t)
	const frames, length = 1000, 200_000
	frame := Text(strings.Repeat("x", length))
	stuck, release := make(chan struct{}), make(chan struct{})
	l := s.loops[0]
	l.mail.post(func() { close(stuck); <-release })
	<-stuck
	for range frames {
		s.log.Append(frame)
	}
	close(release)
	testkit.WaitUntil(t, "the mail is read", func() bool { return s.Stats().Mail == 0 })
	lagging.expectClose(1008)
	if kept := make(chan int); true {
		l.mail.post(func() { kept <- s.log.rings[0].bytes })
		if n := <-kept; n > 1<<20 {
			t.Errorf("the log keeps %d bytes", n)
		}
	}
	c := s.dial(t)
	s.log.Append(Text("news"))
	c.expect("news")
}

func TestAFullRingDropsFramesThatNoFollowerWasOffered(t *testing.T) {
	r := &ring{limit: 100}
	for range 9 {
		r.push(Frame(make([]byte, 10)))
	}
	r.followers = []*conn{{}}
	r.startPass(30) // 0 to 3
	r.dropFor(10)
	if r.tail != 0 {
		t.Errorf("frames were dropped although there was room: %d", r.tail)
	}
	r.dropFor(80)
	if r.tail != 7 || r.to != 7 || r.unswept != 20 || r.bytes != 20 {
		t.Errorf("from %d, passed up to %d, %d bytes of %d not offered", r.tail, r.to, r.unswept, r.bytes)
	}
	r.dropFor(1000) // more than the limit: nothing is left
	if r.tail != r.head || r.to != r.head || r.unswept != 0 || r.bytes != 0 {
		t.Errorf("from %d, passed up to %d, %d bytes of %d not offered", r.tail, r.to, r.unswept, r.bytes)
	}
}

func TestSmallFramesCountTheirOverhead(t *testing.T) {
	s := start(t, Config{Loops: 1})
	stuck, release := make(chan struct{}), make(chan struct{})
	s.loops[0].mail.post(func() { close(stuck); <-release })
	<-stuck
	defer close(release)
	frame, n := Text(""), 0
	for s.capacity.wait() == nil {
		s.log.Append(frame)
		n++
	}
	if most := sourceMailLimit/frameCost + 1; n > most {
		t.Errorf("a source that awaits capacity leaves %d frames, want at most %d", n, most)
	}
}
