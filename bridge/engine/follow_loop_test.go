//go:build unix

package engine

import (
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestAClientThatReadsItsFirstFramesSlowlyIsNotClosed(t *testing.T) {
	s := &server{closed: make(chan closeNote, 1)}
	l := &loop{engine: &Engine{cfg: Config{Handler: s, Limits: Limits{LogAge: time.Second}}}}
	c := l.conns.alloc()
	c.fd, c.state, c.blocked = -1, stateOpen, true
	l.changeLog(c, nil, []Frame{Text("first")})
	for range 20 {
		l.wheel.now += 3
		c.lastSent = l.wheel.now // as if the socket had taken something
		l.wheel.now++
		l.checkSlow()
		l.wheel.now++
		l.checkSlow()
	}
	l.wheel.now += ticks(time.Hour) // a pause of this machine, not of the client
	l.checkSlow()
	l.checkSlow() // the third check in a row without progress
	if len(s.closed) > 0 {
		t.Fatal("a client was closed that takes a piece at a time")
	}
	l.checkSlow() // the fourth check in a row, which makes a second
	if note := testkit.Receive(t, s.closed); note != (closeNote{1008, reasonTooSlow}) {
		t.Fatalf("a client that takes nothing is closed with %v", note)
	}
	l.checkSlow()
	if len(l.slowWatches) != 0 {
		t.Fatal("the loop still watches a connection that is closing")
	}
}

func TestTheNoticeOfSkippedFramesIsSentAtOnce(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1, Skip: func(any, uint64) Frame { return Text("skipped") }})
		c, conn := s.dialConn(t)
		l := s.loops[0]
		l.do(func() {
			r := &s.log.rings[0]
			l.push(r, Text("missed"), 0)
			r.dropFor(r.limit)
			conn.Follow(s.NewLog())
			l.processMail() // before the sweep
		})
		c.expect("skipped")
	})
}
