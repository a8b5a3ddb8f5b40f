package engine

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestEveryClientGetsEveryFrameInOrder(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		const clients, frames = 60, 2000
		s := start(Config{Loops: 2})
		var done sync.WaitGroup
		for range clients {
			c := s.dial(t)
			done.Go(func() {
				for i := range frames {
					f, err := readFrame(c.r)
					if want := fmt.Sprintf("frame %d", i); err != nil || string(f.Payload) != want {
						t.Errorf("got %q, %v, want %q", f.Payload, err, want)
						return
					}
				}
			})
		}
		for i := range frames {
			s.log.Append(Text(fmt.Sprintf("frame %d", i)))
		}
		done.Wait()
	})
}

func TestAFrameLargerThanTheSocketArrivesWhole(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		c := s.dial(t)
		big := strings.Repeat("0123456789", 1<<20)
		s.log.Append(Text(big))
		s.log.Append(Text("after"))
		c.expect(big)
		c.expect("after")
	})
}

func TestAMessageArrivesHoweverItsBytesAreSplit(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		c := s.dialTCP(t)
		for _, b := range split([]byte(upgradeRequest)) {
			c.send(b)
		}
		if got := c.response().StatusCode; got != 101 {
			t.Fatalf("answered %d", got)
		}
		for _, b := range split(text("one byte at a time")) {
			c.send(b)
		}
		if got := testkit.Receive(t, s.messages); got != "one byte at a time" {
			t.Fatalf("got %q", got)
		}
	})
}

func TestBytesAfterTheRequestAreNotLost(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		c := s.dialTCP(t)
		c.send([]byte(upgradeRequest), text("first"), text("second"))
		if got := c.response().StatusCode; got != 101 {
			t.Fatalf("answered %d", got)
		}
		if a, b := testkit.Receive(t, s.messages), testkit.Receive(t, s.messages); a != "first" || b != "second" {
			t.Fatalf("got %q and %q", a, b)
		}
	})
}

func TestAnAnswerGoesToOneClientOnly(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		a := s.dialTCP(t)
		a.upgrade("/")
		handle := testkit.Receive(t, s.opened)
		b := s.dial(t)
		handle.Send(Text("for a"))
		a.expect("for a")
		s.log.Append(Text("for all"))
		a.expect("for all")
		b.expect("for all")
	})
}

func TestAHandleOutlivesItsConnection(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1})
		a := s.dialTCP(t)
		a.upgrade("/")
		handle := testkit.Receive(t, s.opened)
		a.Close()
		testkit.Receive(t, s.closed)
		b := s.dial(t) // reuses the slot
		handle.Send(Text("for nobody"))
		handle.Close(1000, "for nobody")
		s.log.Append(Text("for all"))
		b.expect("for all")
	})
}

func TestTheServerAnswersPings(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		c := s.dial(t)
		c.send(masked(true, ws.OpPing, "payload"))
		if f := c.frame(); f.Header.OpCode != ws.OpPong || string(f.Payload) != "payload" {
			t.Fatalf("got %v %q", f.Header.OpCode, f.Payload)
		}
	})
}

func TestTheCloseHandshakeWorksBothWays(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		c := s.dial(t)
		c.send(masked(true, ws.OpClose, string(ws.NewCloseFrameBody(4000, "bye"))))
		f := c.frame()
		if code, reason := ws.ParseCloseFrameData(f.Payload); f.Header.OpCode != ws.OpClose || code != 4000 || reason != "bye" {
			t.Fatalf("the answer is %v %d %q", f.Header.OpCode, code, reason)
		}
		if rest, err := io.ReadAll(c.r); len(rest) > 0 || err != nil {
			t.Fatalf("then came % x, %v", rest, err)
		}
		if note := testkit.Receive(t, s.closed); note != (closeNote{4000, "bye"}) {
			t.Fatalf("the handler got %v", note)
		}

		c = s.dialTCP(t)
		c.upgrade("/")
		testkit.Receive(t, s.opened).Close(1008, "enough")
		if reason := c.expectClose(1008); reason != "enough" {
			t.Fatalf("the reason is %q", reason)
		}
		if note := testkit.Receive(t, s.closed); note != (closeNote{1008, "enough"}) {
			t.Fatalf("the handler got %v", note)
		}
	})
}

func TestInvalidDataEndsOnlyItsOwnConnection(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{MaxMessage: 1000}})
		good := s.dial(t)
		for _, garbage := range []struct {
			bytes []byte
			code  ws.StatusCode
		}{
			{ws.MustCompileFrame(ws.NewTextFrame([]byte("no mask"))), 1002},
			{masked(true, ws.OpText, "\xff"), 1007},
			{masked(true, ws.OpText, strings.Repeat("x", 1001)), 1009},
			{masked(true, ws.OpClose, "x"), 1002},
			{masked(true, ws.OpClose, "\x03\xed"), 1002},
			{masked(true, ws.OpClose, "\x03\xe8\xff"), 1007},
		} {
			c := s.dial(t)
			c.send(garbage.bytes)
			c.expectClose(garbage.code)
			if note := testkit.Receive(t, s.closed); note.code != int(garbage.code) {
				t.Errorf("the handler got %v, want %d", note, garbage.code)
			}
		}
		s.log.Append(Text("still here"))
		good.expect("still here")
	})
}

func TestAClientThatDoesNotReadIsClosedAndDelaysNoOther(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{closeTimeout: testkit.Patience, Limits: Limits{LogBytes: 1 << 20}})
		slow := s.dial(t)
		good := s.dial(t)
		frame := strings.Repeat("x", 100_000)
		for deadline := time.After(testkit.Patience); len(s.closed) == 0; {
			s.log.Append(Text(frame))
			good.expect(frame)
			select {
			case <-deadline:
				t.Fatal("the slow client is still there")
			default:
			}
		}
		if note := testkit.Receive(t, s.closed); note.code != 1008 || !strings.Contains(note.reason, "too slow") {
			t.Fatalf("closed with %v", note)
		}
		// The slow client then reads whole frames up to the close frame.
		if reason := slow.expectClose(1008); !strings.Contains(reason, "too slow") {
			t.Fatalf("the reason is %q", reason)
		}
	})
}

func TestUnreadAnswersCloseTheConnection(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		c := s.dialTCP(t)
		c.upgrade("/")
		handle := testkit.Receive(t, s.opened)
		answer := Text(strings.Repeat("x", 1<<20))
		for {
			handle.Send(answer)
			select {
			case note := <-s.closed:
				if note.code != 1008 {
					t.Fatalf("closed with %v", note)
				}
				return
			default:
			}
		}
	})
}

func TestOrdinaryRequestsGoToHTTP(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s %s %s", r.Method, r.URL, r.Header.Get("X-Long"))
		})
		s := start(Config{HTTP: page})
		long := strings.Repeat("long ", 1000) + "."
		for range 3 {
			req, err := http.NewRequest(http.MethodPost, "/path?query", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Long", long)
			body, err := io.ReadAll(s.get(t, req).Body)
			if want := "POST /path?query " + long; err != nil || string(body) != want {
				t.Fatalf("got %.60q, %v", body, err)
			}
		}
	})
}

func TestWithoutAnHTTPHandlerOrdinaryRequestsGet426(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		if resp := s.get(t, &http.Request{URL: &url.URL{Path: "/"}}); resp.StatusCode != http.StatusUpgradeRequired {
			t.Fatalf("answered %s", resp.Status)
		}
	})
}

func TestABadUpgradeIsAnsweredWithAReason(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{}, func(s *server) {
			s.accept = func(r *Request) (Accepted, error) {
				if u, err := r.URL(); err != nil || u.Path == "/full" {
					return Accepted{}, &RejectError{Status: 503, Reason: "no room: try again later"}
				}
				return Accepted{Log: s.log}, nil
			}
		})
		replace := func(old, new string) string { return strings.Replace(upgradeRequest, old, new, 1) }
		for _, c := range []struct {
			name, request string
			status        int
			words         string
		}{
			{"no key", replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 400, "Sec-WebSocket-Key"},
			{"two keys", replace("Sec-WebSocket-Version", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version"), 400, "one Sec-WebSocket-Key"},
			{"a key that is not base64", replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZ!=="), 400, "base64"},
			{"another version", replace("Version: 13", "Version: 8"), 426, ""},
			{"no host", replace("Host: localhost\r\n", ""), 400, ""},
			{"the handler rejects it", replace("GET /", "GET /full"), 503, "no room"},
			{"a head that is too long", replace("Host:", "X: "+strings.Repeat("x", 9000)+"\r\nHost:"), 431, "too long"},
			{"POST", replace("GET", "POST"), 405, ""},
		} {
			client := s.dialTCP(t)
			client.send([]byte(c.request))
			resp := client.response()
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.status || !strings.Contains(string(body), c.words) {
				t.Errorf("%s: answered %s %q, want %d and %q", c.name, resp.Status, body, c.status, c.words)
			}
			if c.status == 426 && resp.Header.Get("Sec-WebSocket-Version") != "13" {
				t.Errorf("%s: the answer does not name version 13", c.name)
			}
			if rest, err := io.ReadAll(client.r); err != nil || len(rest) > 0 {
				t.Errorf("%s: the connection goes on with % x, %v", c.name, rest, err)
			}
		}
	})
}

func TestAClientThatSendsNoRequestIsDisconnected(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{HeadTimeout: 3 * time.Second}})
		c := s.dialTCP(t)
		c.send([]byte("GET / HTTP/1.1\r\n"))
		if resp := c.response(); resp.StatusCode != http.StatusRequestTimeout {
			t.Fatalf("answered %s", resp.Status)
		}
	})
}

func TestASilentClientIsPingedAndThenClosed(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1, Limits: Limits{PingAfter: 300 * time.Millisecond, PongTimeout: time.Hour}})
		c := s.dial(t)
		for i := range 2 {
			if f := c.frame(); f.Header.OpCode != ws.OpPing {
				t.Fatalf("got opcode %d, want a ping", f.Header.OpCode)
			}
			if i == 1 { // from the next ping on: a pong may be late on a crowded machine
				s.loops[0].do(func() { s.Engine.cfg.PongTimeout = 300 * time.Millisecond })
			}
			c.send(masked(true, ws.OpPong, ""))
		}
		c.expectClose(1008)
	})
}

// A proxy that ends idle connections relies on it.
func TestAnIdleClientIsPingedAgainLongBeforeItsAnswerWouldBeOverdue(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		c := start(Config{Limits: Limits{PingAfter: tickLength, PongTimeout: time.Hour}}).dial(t)
		for range 3 {
			if f := c.frame(); f.Header.OpCode != ws.OpPing {
				t.Fatalf("got opcode %d, want a ping", f.Header.OpCode)
			}
			c.send(masked(true, ws.OpPong, ""))
		}
	})
}

func TestShutdownSendsEveryClientACloseFrame(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 2})
		clients := []*client{s.dial(t), s.dial(t), s.dial(t)}
		idle := s.dialTCP(t)
		ended := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
			defer cancel()
			ended <- s.Shutdown(ctx, "restarting")
		}()
		for _, c := range clients {
			if reason := c.expectClose(1001); reason != "restarting" {
				t.Errorf("the reason is %q", reason)
			}
			c.Close()
		}
		idle.Close()
		if err := testkit.Receive(t, ended); err != nil {
			t.Fatal(err)
		}
		if n := s.Stats().Connections; n != 0 {
			t.Fatalf("%d connections are left", n)
		}
	})
}
