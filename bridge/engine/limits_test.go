package engine

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestALaggedClientMaySkipFrames(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		missed := make(chan uint64, 100)
		s := start(Config{Limits: Limits{LogBytes: 1 << 20}, Skip: func(_ any, n uint64) Frame {
			missed <- n
			return Text(fmt.Sprintf("missed %d", n))
		}})
		slow, good := s.dial(t), s.dial(t)
		pad := strings.Repeat("x", 100_000)
		const frames = 300
		for i := range frames {
			s.log.Append(Text(fmt.Sprintf("%d %s", i, pad)))
			good.frame()
		}
		// It finally reads every frame whole and in order, with a notice for those that
		// were skipped.
		next := 0
		for next < frames {
			text := string(slow.frame().Payload)
			var n int
			if _, err := fmt.Sscanf(text, "missed %d", &n); err == nil {
				next += n
				continue
			}
			if _, err := fmt.Sscanf(text, "%d ", &n); err != nil || n != next {
				t.Fatalf("got %.30q instead of frame %d", text, next)
			}
			next++
		}
		if next > frames || len(missed) == 0 || s.Stats().Skips != len(missed) || s.Stats().SlowCloses != 0 {
			t.Fatalf("%d frames are accounted for, with %d notices; the engine counts %+v", next, len(missed), s.Stats())
		}
	})
}

func TestALogDropsFramesThatAreTooOld(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{LogAge: 500 * time.Millisecond}})
		s.dial(t)
		good := s.dial(t)
		frame := strings.Repeat("x", 1<<20)
		for range 12 { // fewer than the log's bytes, more than the sockets take
			s.log.Append(Text(frame))
			good.expect(frame)
		}
		// It is noticed without a further frame.
		if note := testkit.Receive(t, s.closed); note.code != 1008 || !strings.Contains(note.reason, "too slow") {
			t.Fatalf("closed with %v", note)
		}
		if n := s.Stats().SlowCloses; n != 1 {
			t.Errorf("%d slow closes are counted", n)
		}
	})
}

func TestTooManyMessagesCloseTheConnection(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		const rate = 10
		s := start(Config{Loops: 1, Limits: Limits{MessageRate: rate}})
		began := s.loops[0].coarse()
		for name, frame := range map[string][]byte{"texts": text("x"), "pings": masked(true, ws.OpPing, "")} {
			c := s.dial(t)
			c.send(bytes.Repeat(frame, rate*burstSeconds+500)) // more than a slow machine's ticks earn
			if reason := c.expectClose(1008); !strings.Contains(reason, "more than 10 a second") {
				t.Errorf("%s: the reason is %q", name, reason)
			}
			testkit.Receive(t, s.closed)
		}
		// They take several turns, and a tick between two of them earns some more.
		const burst = rate * burstSeconds
		earned := int(s.now()-began) * rate / 4
		if n := len(s.messages); n < burst || n > burst+earned {
			t.Errorf("%d messages were delivered, want %d, and at most %d more", n, burst, earned)
		}
	})
}

func TestTheBucketRefillsWithTime(t *testing.T) {
	b := newRateLimiter(4, 100)
	for range 4 * burstSeconds {
		if !b.allow(4, 100) {
			t.Fatal("the burst is too small")
		}
	}
	if b.allow(4, 100) {
		t.Fatal("the burst is too large")
	}
	if !b.allow(4, 101) || b.allow(4, 101) { // four ticks a second
		t.Fatal("a tick does not earn one message")
	}
	for range 4 * burstSeconds {
		b.allow(4, 1_000_000)
	}
	if b.allow(4, 1_000_000) {
		t.Fatal("a long silence earns more than a burst")
	}
}

func TestConnectionsBeyondTheLimitAreRejectedWithAReason(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{MaxConnections: 2}})
		first := s.dial(t)
		s.dial(t)
		c := s.dialTCP(t)
		c.send([]byte(upgradeRequest))
		resp := c.response()
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 503 || !strings.Contains(string(body), "2 connections") {
			t.Fatalf("answered %s %q", resp.Status, body)
		}
		if n := s.Stats().Rejected; n != 1 {
			t.Errorf("%d rejections are counted", n)
		}
		// A place that becomes free can be used.
		first.send(masked(true, ws.OpClose, "\x03\xe8"))
		if _, err := io.ReadAll(first.r); err != nil {
			t.Fatal(err)
		}
		first.Close()
		for deadline := time.Now().Add(testkit.Patience); ; {
			c := s.dialTCP(t)
			c.send([]byte(upgradeRequest))
			if c.response().StatusCode == 101 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the place never became free")
			}
		}
	})
}

func TestIncompleteMessagesAreBounded(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1, Limits: Limits{MaxInbound: 1 << 20}})
		half := masked(false, ws.OpText, strings.Repeat("x", 300_000))
		for i := 0; ; i++ {
			c := s.dial(t)
			c.send(half)
			c.send(masked(true, ws.OpPing, "taken"))
			f := c.frame()
			if f.Header.OpCode == ws.OpPong {
				if i > 4 {
					t.Fatal("more is buffered than allowed")
				}
				continue
			}
			if code, _ := ws.ParseCloseFrameData(f.Payload); code != 1013 {
				t.Fatalf("closed with %d", code)
			}
			break
		}
		// A complete message of the same size does not count.
		c := s.dial(t)
		c.send(text(strings.Repeat("x", 100)))
		testkit.Receive(t, s.messages)
	})
}

func TestALargeFrameAndAPingDoNotCloseAReader(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{LogBytes: 64 << 20}})
		c := s.dialTCP(t)
		c.upgrade("/")
		handle := testkit.Receive(t, s.opened)
		big := strings.Repeat("x", 3*maxOutbound)
		s.log.Append(Text(big))
		c.send(masked(true, ws.OpPing, ""))
		read := func() {
			if f := c.frame(); f.Header.OpCode == ws.OpClose {
				t.Fatalf("closed: %q", f.Payload)
			}
		}
		read()
		read()
		handle.Send(Text(big))
		read()
	})
}

func TestCloseInOpenComesAfterTheResponse(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{}, func(s *server) {
			s.open = func(c Conn) { c.Send(Text("welcome")); c.Close(4001, "not you") }
		})
		c := s.dialTCP(t)
		c.upgrade("/")
		c.expectClose(4001)
	})
}

func TestOnlyValidCloseCodesAreSent(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		for code, want := range map[int]ws.StatusCode{1000: 1000, 1012: 1012, 1013: 1013, 3000: 3000, 4999: 4999,
			999: 1002, 1004: 1002, 1005: 1002, 1006: 1002, 1015: 1002, 2999: 1002, 5000: 1002, 65535: 1002} {
			c := s.dial(t)
			c.send(masked(true, ws.OpClose, string(ws.NewCloseFrameBody(ws.StatusCode(code), ""))))
			c.expectClose(want)
			testkit.Receive(t, s.closed)
		}
		c := s.dialTCP(t)
		c.upgrade("/")
		testkit.Receive(t, s.opened).Close(1006, "a code that may not be sent")
		c.expectClose(1011)
	})
}

func TestARequestWithBadLineEndingsIsRejectedAtOnce(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		for _, request := range []string{
			strings.ReplaceAll(upgradeRequest, "\r\n", "\n"),
			strings.Replace(upgradeRequest, "Host: localhost", "Host: localhost\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", 1),
		} {
			c := s.dialTCP(t)
			c.send([]byte(request))
			if resp := c.response(); resp.StatusCode != 400 {
				t.Errorf("answered %s", resp.Status)
			}
		}
	})
}

func TestASpareConnectionIsClosedWithoutAResponse(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{HeadTimeout: 3 * time.Second}})
		c := s.dialTCP(t)
		if b, err := io.ReadAll(c.r); err != nil || len(b) > 0 {
			t.Fatalf("got %q, %v", b, err)
		}
	})
}

func TestNoLimitIsTooLarge(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		const most, forever = math.MaxInt, time.Duration(math.MaxInt64)
		s := start(Config{Compress: true, Limits: Limits{
			MaxHead: most, HeadTimeout: forever, MaxMessage: most, LogBytes: most, LogAge: forever,
			MaxConnections: most, MaxPerAddress: most, MessageRate: most, MaxInbound: most, MaxOutbound: most,
			LateAfter: forever, PingAfter: forever, PongTimeout: forever,
		}})
		c := s.dialDeflate(t)
		for from := s.now(); s.now() < from+3; {
			c.send(text("plain"), deflated(true, "compressed"), masked(false, ws.OpText, "in "), masked(true, ws.OpContinuation, "two"))
			for _, want := range []string{"plain", "compressed", "in two"} {
				if got := testkit.Receive(t, s.messages); got != want {
					t.Fatalf("got %q, want %q", got, want)
				}
			}
			s.log.Append(Text("news"))
			c.expect("news")
		}
		half := s.dialTCP(t) // its timeout expires in a tick, not now
		half.send([]byte(upgradeRequest[:20]))
		for from := s.now(); s.now() < from+3; {
			s.log.Append(Text("news"))
			c.expect("news")
		}
		half.send([]byte(upgradeRequest[20:]))
		if got := half.response().StatusCode; got != http.StatusSwitchingProtocols {
			t.Errorf("answered %d", got)
		}
	})
}
