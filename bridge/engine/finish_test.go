package engine

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// expectEnd reads a close frame and waits for the server to hang up, without answering.
func (c *client) expectEnd(code ws.StatusCode) {
	c.t.Helper()
	f := c.frame()
	if got, reason := ws.ParseCloseFrameData(f.Payload); f.Header.OpCode != ws.OpClose || got != code {
		c.t.Fatalf("got opcode %d with %d %q, want a close frame with %d", f.Header.OpCode, got, reason, code)
	}
	c.SetDeadline(time.Now().Add(closeTimeout - 2*tickLength))
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Fatalf("after the close frame: % x, %v", rest, err)
	}
}

func TestTheServerHangsUpAtOnceAfterAProtocolError(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{MaxMessage: 1000}})
		for _, invalid := range []struct {
			bytes []byte
			code  ws.StatusCode
		}{
			{masked(true, ws.OpClose, "x"), 1002},
			{masked(true, ws.OpClose, "\x03\xe8\xff"), 1007},
			{masked(true, ws.OpClose, "\x03\xed"), 1002},
			{masked(true, 3, "reserved"), 1002},
			{text("\xff"), 1007},
			{masked(false, ws.OpPing, ""), 1002},
		} {
			c := s.dial(t)
			c.send(invalid.bytes)
			c.expectEnd(invalid.code)
		}
	})
}

func TestAnswersComeBeforeTheCloseFrame(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		for name, last := range map[string]struct {
			bytes []byte
			code  ws.StatusCode
		}{
			"a close frame":          {closing(4000), 4000},
			"a violation":            {masked(true, 3, "reserved"), 1002},
			"an invalid close frame": {masked(true, ws.OpClose, "\x03\xed"), 1002},
		} {
			for _, later := range []bool{false, true} {
				s := start(Config{Loops: 1, finishTimeout: testkit.Patience}, func(s *server) {
					answers := make(chan Frame, 1)
					s.message = func(c Conn, m Message) {
						answer := Text("answer to " + string(m.Payload))
						if later {
							answers <- answer
						} else {
							c.Send(answer)
						}
					}
					if later {
						s.closing = func(c Conn) {
							go func() {
								c.Send(<-answers)
								c.Send(Text("and a last word"))
								c.Finish()
							}()
						}
					}
				})
				c := s.dial(t)
				c.send(text("a"), last.bytes, text("after the end"))
				c.expect("answer to a")
				if later {
					c.expect("and a last word")
				}
				c.expectEnd(last.code)
				if got := testkit.Receive(t, s.messages); got != "a" {
					t.Errorf("%s: the handler was given %q", name, got)
				}
				if note := testkit.Receive(t, s.closed); note.code != int(last.code) || len(s.messages) > 0 {
					t.Errorf("%s: closed with %v, and %d messages came after it", name, note, len(s.messages))
				}
			}
		}
	})
}

func TestAHandlerThatDoesNotFinishIsTimedOut(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1}, func(s *server) { s.closing = func(Conn) {} })
		c := s.dial(t)
		c.send(closing(1000))
		c.expectEnd(1000)
		testkit.Receive(t, s.closed).check(t, 1000)
	})
}

func (n closeNote) check(t *testing.T, code int) {
	t.Helper()
	if n.code != code {
		t.Errorf("the handler got %v, want %d", n, code)
	}
}

func TestALongAnswerIsSentWholeBeforeTheCloseFrame(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		frames := make([]Frame, 32)
		for i := range frames {
			frames[i] = Text(fmt.Sprintf("%d %0500000d", i, 0))
		}
		s := start(Config{Loops: 1, finishTimeout: testkit.Patience}, func(s *server) {
			s.message = func(c Conn, _ Message) { c.Follow(nil, frames...) }
		})
		c := s.dial(t)
		c.send(text("a"), closing(1000))
		for _, f := range frames {
			c.expect(string(f.Payload()))
		}
		c.expectEnd(1000)
	})
}
