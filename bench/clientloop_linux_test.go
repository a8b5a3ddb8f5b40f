package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// shortly is how long a test waits for what must not happen.
const shortly = 50 * time.Millisecond

// fakeServer answers each request and then does what the test says.
func fakeServer(t *testing.T, answer string, then func(i int, conn net.Conn)) dialer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(running.Wait)
	t.Cleanup(func() { ln.Close() })
	running.Go(func() {
		for i := 0; ; i++ {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				r := bufio.NewReader(conn)
				for line := ""; line != "\r\n"; {
					if line, err = r.ReadString('\n'); err != nil {
						return
					}
				}
				_, _ = io.WriteString(conn, answer)
				if then != nil {
					then(i, conn)
				}
				_, _ = io.Copy(io.Discard, r) // until the client hangs up
			})
		}
	})
	addr := netip.MustParseAddrPort(ln.Addr().String())
	return dialer{to: addr, path: "/", host: addr.String()}
}

func startLoop(t *testing.T) *clientLoop {
	t.Helper()
	s, err := newClientLoop()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// clientsOf connects clients to a server that waits for go before it sends.
func clientsOf(t *testing.T, n int, send func(i int, conn net.Conn)) (set *clientSet, start func()) {
	t.Helper()
	started := make(chan struct{})
	dial := fakeServer(t, upgradeResponse, func(i int, conn net.Conn) {
		<-started
		send(i, conn)
	})
	set = newClientSet(startLoop(t), dial)
	if _, err := set.connect(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	return set, sync.OnceFunc(func() { close(started) })
}

// result waits for what became of the replies.
func result(t *testing.T, set *clientSet, patience time.Duration) *receiveResult {
	t.Helper()
	a, err := set.await(t.Context(), patience)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAClientSetGetsEverything(t *testing.T) {
	data := frames(t, 0, 1, 2)
	set, start := clientsOf(t, 5, func(_ int, conn net.Conn) { _, _ = conn.Write(data) })
	set.expect(firstNumber, 3, nil)
	start()
	a := result(t, set, testkit.Patience)
	if err := a.err(); err != nil || a.Replies != 15 || a.Bytes != 5*len(data) || a.At == 0 {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestOneClientOfManyThatMissesAReplyIsAFault(t *testing.T) {
	all, some, twice := frames(t, 0, 1, 2), frames(t, 0, 2), frames(t, 0, 1, 1, 2)
	set, start := clientsOf(t, 9, func(i int, conn net.Conn) {
		data := all
		switch i {
		case 4:
			data = some
		case 7:
			data = twice
		}
		_, _ = conn.Write(data)
	})
	set.expect(firstNumber, 3, nil)
	start()
	a := result(t, set, testkit.Patience)
	if want := (faultCounts{Lost: 1, Duplicated: 1}); a.Faults != want {
		t.Errorf("%+v", a)
	}
	if err := a.err(); err == nil || err.Error() != "1 lost, 1 duplicated, 0 out of order" {
		t.Errorf("%v", err)
	}
}

func TestAClientThatMissesRepliesIsCounted(t *testing.T) {
	set, start := clientsOf(t, 3, func(i int, conn net.Conn) {
		if i > 0 {
			_, _ = conn.Write(frames(t, 0))
		}
	})
	set.expect(firstNumber, 1, nil)
	start()
	a := result(t, set, shortly)
	if err := a.err(); err == nil || !strings.Contains(err.Error(), "of 3 clients miss replies") {
		t.Errorf("%v", err)
	}
}

func TestTheReasonOfAServersCloseIsQuoted(t *testing.T) {
	set, start := clientsOf(t, 2, func(i int, conn net.Conn) {
		if i == 1 {
			_, _ = conn.Write(compiled(ws.NewCloseFrame(ws.NewCloseFrameBody(1008, "too slow"))))
			return
		}
		_, _ = conn.Write(frames(t, 0))
	})
	set.expect(firstNumber, 1, nil)
	start()
	a := result(t, set, testkit.Patience) // it does not wait for a client that has gone
	want := `1 of 2 clients miss replies; clients that the server disconnected: 1 closed with 1008 "too slow"`
	if err := a.err(); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func TestARefusalIsQuoted(t *testing.T) {
	dial := fakeServer(t, "HTTP/1.1 503 Service Unavailable\r\n\r\n", nil)
	_, err := newClientSet(startLoop(t), dial).connect(t.Context(), 3)
	if err == nil || !strings.Contains(err.Error(), `answered "HTTP/1.1 503 Service Unavailable"`) {
		t.Errorf("%v", err)
	}
}

func TestAnAddressWithoutServerIsAnError(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.MustParseAddrPort(ln.Addr().String())
	ln.Close()
	_, err = newClientSet(startLoop(t), dialer{to: addr, path: "/", host: "x"}).connect(t.Context(), 1)
	if err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("%v", err)
	}
}

func TestAPingIsAnswered(t *testing.T) {
	pong := make(chan string, 1)
	set, start := clientsOf(t, 1, func(_ int, conn net.Conn) {
		_, _ = conn.Write(compiled(ws.NewPingFrame([]byte("hello"))))
		frame := make([]byte, 11)
		_, _ = io.ReadFull(conn, frame)
		pong <- string(frame)
	})
	defer set.disconnect()
	start()
	select {
	case frame := <-pong:
		// FIN and opcode 10; masked, 5 bytes; the key; the payload.
		if frame != "\x8a\x85\x00\x00\x00\x00hello" {
			t.Errorf("%q", frame)
		}
	case <-time.After(testkit.Patience):
		t.Error("no pong")
	}
}

func TestAPausedClientIsNotAwaitedUntilItReadsAgain(t *testing.T) {
	set, start := clientsOf(t, 3, func(_ int, conn net.Conn) { _, _ = conn.Write(frames(t, 0, 1)) })
	set.pauseReading(1)
	set.expect(firstNumber, 2, nil)
	start()
	if a := result(t, set, testkit.Patience); a.err() != nil || a.Replies != 4 {
		t.Errorf("while one is paused: %+v", a)
	}
	set.resumeReading()
	if a := result(t, set, testkit.Patience); a.err() != nil || a.Replies != 6 {
		t.Errorf("when it reads again: %+v", a)
	}
}

// startBaseline runs the baseline within the test.
func startBaseline(t *testing.T, coalesced bool) (viaPipe, dialer) {
	t.Helper()
	stdin, commands := io.Pipe()
	answers, stdout := io.Pipe()
	c := &child{name: "the baseline", stdin: commands, lines: make(chan string, 1), tail: &tail{}, done: make(chan struct{})}
	go func() {
		for scan := bufio.NewScanner(answers); scan.Scan(); {
			c.lines <- scan.Text()
		}
		close(c.done)
	}()
	ended := make(chan error, 1)
	go func() {
		ended <- Baseline(context.Background(), stdin, stdout)
		stdout.Close()
	}()
	t.Cleanup(func() {
		commands.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		<-c.done
	})
	url, err := c.address(t.Context(), "ws://")
	if err != nil {
		t.Fatal(err)
	}
	dial, err := parseTarget(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return viaPipe{c, coalesced}, dial
}

func TestTheBaselineWritesEveryFrameToEverySocket(t *testing.T) {
	for _, coalesced := range []bool{false, true} {
		t.Run(fmt.Sprintf("coalesced %t", coalesced), func(t *testing.T) {
			baseline, dial := startBaseline(t, coalesced)
			set := newClientSet(startLoop(t), dial)
			if _, err := set.connect(t.Context(), 7); err != nil {
				t.Fatal(err)
			}
			defer set.disconnect()
			const count = 300 // more than one write of 32 KiB
			for round := range uint64(2) {
				first := firstNumber + round*count
				if err := baseline.prepare(t.Context(), first, count); err != nil {
					t.Fatal(err)
				}
				set.expect(first, count, nil)
				if err := baseline.send(t.Context(), 0, nil); err != nil {
					t.Fatal(err)
				}
				if a := result(t, set, testkit.Patience); a.err() != nil || a.Replies != 7*count {
					t.Errorf("%+v", a)
				}
			}
		})
	}
}

func TestTheBaselineWaitsForAFullSocket(t *testing.T) {
	baseline, dial := startBaseline(t, true)
	dial.smallBuffers = 1
	set := newClientSet(startLoop(t), dial)
	if _, err := set.connect(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	defer set.disconnect()
	const count = 30000 // ten megabytes: more than the kernel holds for one socket
	if err := baseline.prepare(t.Context(), firstNumber, count); err != nil {
		t.Fatal(err)
	}
	set.pauseReading(1)
	set.expect(firstNumber, count, nil)
	sent := make(chan error, 1)
	go func() { sent <- baseline.send(t.Context(), 0, nil) }()
	if a := result(t, set, testkit.Patience); a.err() != nil {
		t.Errorf("those that read: %v", a.err())
	}
	set.resumeReading()
	if a := result(t, set, testkit.Patience); a.err() != nil || a.Replies != 3*count {
		t.Errorf("%+v", a)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

// cancelAt ends a context once it has been given a text.
type cancelAt struct {
	strings.Builder
	text   string
	cancel context.CancelFunc
}

func (c *cancelAt) Write(p []byte) (int, error) {
	n, err := c.Builder.Write(p)
	if strings.Contains(c.String(), c.text) {
		c.cancel()
	}
	return n, err
}

func TestLoadReportsWhatArrives(t *testing.T) {
	dial := fakeServer(t, upgradeResponse, func(i int, conn net.Conn) {
		_, _ = conn.Write(frames(t, 0, 1))
		if i == 0 {
			_, _ = conn.Write(compiled(ws.NewCloseFrame(ws.NewCloseFrameBody(1001, "over"))))
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	out := &cancelAt{text: "2 clients\n", cancel: cancel}
	cfg := LoadConfig{URL: "ws://" + dial.host, Clients: 3, Stdout: out}
	err := Load(ctx, cfg)
	if err == nil || err.Error() != `clients that the server disconnected: 1 closed with 1001 "over"` {
		t.Errorf("%v", err)
	}
	if !strings.HasPrefix(out.String(), "3 clients connected in ") || !strings.Contains(out.String(), "2 clients\n") {
		t.Errorf("%q", out.String())
	}
	patient, cancelPatient := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancelPatient()
	cfg.Duration = time.Millisecond
	if _ = Load(patient, cfg); patient.Err() != nil {
		t.Error("it does not end after its duration")
	}
	if err := Load(t.Context(), LoadConfig{URL: "http://x", Clients: 1}); err == nil {
		t.Error("http is no WebSocket")
	}
}

// A client that connects amid replies may have the last of them when the next are announced.
func TestAClientThatConnectsDuringRepliesIsCheckedFromTheNextOnes(t *testing.T) {
	early, later := frames(t, 0, 1), frames(t, 2, 3, 3)
	dial := fakeServer(t, upgradeResponse, func(_ int, conn net.Conn) { _, _ = conn.Write(append(early, later...)) })
	set := newClientSet(startLoop(t), dial)
	set.lateJoiners = true
	set.expect(firstNumber+2, 2, nil)
	if _, err := set.connect(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, testkit.Patience, "the duplicate is noticed", func() error {
		if n := set.counts(); n.faults != (faultCounts{Duplicated: 1}) || n.frames != 3 {
			return fmt.Errorf("%+v", n)
		}
		return nil
	})
}
