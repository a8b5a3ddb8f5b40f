//go:build unix

package engine

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Each key update costs as much as a message, and precedes the message that reveals it.
func TestOneClientsKeyUpdatesDelayNoOther(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		const messages, keys = 100, 16
		first, proceed := make(chan struct{}), make(chan struct{})
		order := make(chan string, messages+1)
		var once sync.Once
		s := start(Config{Loops: 1, Limits: Limits{MessageRate: messages * (keys + 1)}}, func(s *server) {
			s.message = func(_ Conn, m Message) {
				once.Do(func() {
					close(first)
					<-proceed
				})
				order <- string(m.Payload)
			}
		})
		honest, busy := s.dial(t), s.dialRecords(t)
		s.mute.Store(true)
		var all []byte
		for range messages {
			for range keys {
				all = append(all, busy.updateKey()...)
			}
			all = append(all, busy.encrypt(23, text("small"))...)
		}
		if len(all) > readSize {
			t.Fatalf("%d bytes are more than one read", len(all))
		}
		busy.raw(all)
		testkit.Await(t, first)
		honest.send(text("honest"))
		s.awaitArrival(t, honest)
		close(proceed)
		got := 0
		for testkit.Receive(t, order) != "honest" {
			got++
		}
		if most := 2 * clientQuantum / messageCost / 8; got > most {
			t.Errorf("%d messages of %d keys were delivered before another client's, more than %d", got, keys, most)
		}
	})
}

// The key updates come between the bytes of a single message.
func TestKeyUpdatesCountAsMessages(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		const keys = 16
		s := start(Config{Limits: Limits{MessageRate: 10}}) // a hundred at once
		for rounds, want := range map[int]int{5: 0, 50: 1008} {
			c := s.dialRecords(t)
			payload := strings.Repeat("x", 100)
			frame := text(payload)
			var all []byte
			for i := range rounds {
				for range keys {
					all = append(all, c.updateKey()...)
				}
				all = append(all, c.encrypt(23, frame[i:i+1])...)
			}
			c.raw(append(all, c.encrypt(23, frame[rounds:])...))
			if want == 0 {
				if got := testkit.Receive(t, s.messages); got != payload {
					t.Errorf("got %q", got)
				}
				continue
			}
			if got := testkit.Receive(t, s.closed); got.code != want || got.reason != tooManyMessages(10) {
				t.Errorf("closed with %v", got)
			}
		}
	})
}

// smallBuffer limits a socket's buffer.
func smallBuffer(option int) func(string, string, syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, option, 4096) })
	}
}

// The client's socket is full of responses to its key updates, and net/http has too many
// requests.
func TestARejectedRequestDelaysNoOther(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1}, func(s *server) { s.listen = &net.ListenConfig{Control: smallBuffer(unix.SO_SNDBUF)} })
		s.handoff.active.Add(maxHTTPRequests + maxVitalRequests)
		conn, err := (&net.Dialer{Control: smallBuffer(unix.SO_RCVBUF)}).Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(testkit.Patience))
		c := recordsOn(t, conn)
		c.record(23, []byte("GET / HTTP/1.1\r\nHost: localhost\r\nX: "))
		var out []byte
		for range 1000 {
			for range 16 {
				out = append(out, c.updateKey()...)
			}
			out = append(out, c.encrypt(23, []byte("x"))...)
		}
		c.raw(out)
		testkit.Eventually(t, testkit.Patience, "answers wait for the client", func() error {
			if s.Stats().Outbound == 0 {
				return fmt.Errorf("none waits")
			}
			return nil
		})
		c.record(23, []byte("\r\n\r\n"))
		s.dial(t).send(text("hello"))
		if got := testkit.Receive(t, s.messages); got != "hello" {
			t.Errorf("got %q", got)
		}
	})
}

func TestARequestTooManyIsAnsweredOverTLS(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{})
		s.handoff.active.Add(maxHTTPRequests + maxVitalRequests)
		for range 3 {
			if resp := s.get(t, must(http.NewRequest("GET", "/", nil))); resp.StatusCode != 503 {
				t.Error(resp.Status)
			}
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestAnIncompleteHandshakeMessageIsCounted(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{MaxInbound: 100_000}})
		c := s.dialRecords(t)
		message := make([]byte, maxPlaintext)
		copy(message, []byte{11, 3, 0xff, 0xff}) // a certificate, which may be the longest message
		for range 10 {
			c.record(22, message)
			clear(message)
		}
		if got := testkit.Receive(t, s.closed); got.code != 1013 {
			t.Errorf("closed with %v", got)
		}
		c.Close()
		testkit.Eventually(t, testkit.Patience, "nothing is held", func() error {
			if n := s.Stats().Inbound; n != 0 {
				return fmt.Errorf("%d bytes are", n)
			}
			return nil
		})
	})
}

// The close frame has arrived when the client would have to be closed.
func TestAFullServerReadsAPendingCloseFrame(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1, Limits: Limits{MaxInbound: 8 << 10, MessageRate: 1000}})
		c := s.dialRecords(t)
		s.mute.Store(true)
		var all []byte
		for range 600 {
			all = append(all, c.encrypt(23, text("small"))...)
		}
		c.raw(append(all, c.encrypt(23, closing(1000))...))
		for {
			if f := c.frame(); f.Header.OpCode == ws.OpClose {
				break
			}
		}
		began := time.Now()
		if _, err := c.r.ReadByte(); err == nil || time.Since(began) > closeTimeout-2*tickLength {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestAnSSL2HelloIsAnsweredAtOnce(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{HeadTimeout: time.Minute}})
		c := s.dialRaw(t)
		c.send([]byte{0x80, 46, 1, 3, 1, 0, 21, 0, 0, 0, 16}, make([]byte, 37))
		got := make([]byte, 7)
		if _, err := c.r.Read(got); err != nil || got[0] != recordAlert {
			t.Errorf("got % x, %v", got, err)
		}
	})
}
