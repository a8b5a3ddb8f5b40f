package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// build builds the program without the race detector, which uses memory of its own.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clu-ws")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// memory returns a figure of a process in bytes: VmHWM is the peak of its resident
// memory, VmRSS the current size (proc(5)).
func memory(t *testing.T, p child, figure string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if kib, ok := strings.CutPrefix(line, figure+":"); ok {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kib), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatalf("no %s in:\n%s", figure, status)
	panic("unreachable")
}

const mib = 1 << 20

// The limits of the tested bridges, in bytes, and their number of loops. A client that reads is closed as slow if it stands
// still for as long as the bridge needs for the backlog.
const (
	backlog = 16 * mib
	history = 16 * mib
	loops   = 2
)

// bound returns how much more memory a bridge may use than an idle one: all that its
// limits allow, twice, since garbage may grow to the size of the memory in use (GOGC),
// and a margin.
func bound(history int) int {
	const (
		handover = 4 * mib // of each loop: engine.mailBytes
		little   = 8 * mib // the link's prefetch, runs of frames, stacks
	)
	return 2*(loops*(backlog+handover)+history) + little
}

// The replies are long, so that they exceed the bounds by far and are not many: each costs every client work.
func TestABacklogOfManyRepliesIsDeliveredWithinTheMemoryBounds(t *testing.T) {
	t.Parallel()
	const replies, size = 25_000, 6400
	program := build(t)
	url := testkit.RabbitMQ(t).NewVHost(t)
	bridge := func(t *testing.T, url, name string, args ...string) child {
		args = append([]string{"websocket", "--host", "127.0.0.1", "--port", "0", "--url", url, "--name", name,
			"--admin", "127.0.0.1:0", "--durable", "expires=10m", "--client-backlog", "16MiB"}, args...)
		cmd := exec.Command(program, args...)
		cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", loops))
		return child{testkit.StartProcess(t, cmd)}
	}
	cases := []struct {
		name    string
		history []string
		bound   int
		mute    bool // one client reads nothing
	}{
		{"without-a-history", []string{"--history", "0"}, bound(0), false},
		{"with-a-history-and-a-client-that-reads-nothing", []string{"--history", "1000000", "--history-bytes", "16MiB"}, bound(history), true},
	}
	for _, c := range cases { // so that their queues exist
		p := bridge(t, url, c.name, c.history...)
		p.awaitLinked(t)
		p.stop(t)
	}
	testkit.PublishReplies(t, url, replies, size)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := newBrokerProxy(t, url)
			p := bridge(t, g.url(), c.name, c.history...)
			at := "ws://" + p.announcedAddress(t, "ws://")
			var all []*recordingClient
			for i := range 10 {
				e, _ := startRecording(t, fmt.Sprintf("client %d", i), ws.Dialer{}, at)
				all = append(all, e)
			}
			var mute net.Conn
			if c.mute {
				mute = testkit.DialWebSocketWith(t, smallBuffer(), at)
			}
			idle := memory(t, p, "VmHWM")
			start := time.Now()
			g.allow()
			if c.mute {
				p.awaitMetric(t, "cluws_slow_closes_total 1")
				mustBeClosed(t, mute, 1008)
			}
			awaitReceived(t, replies-1, all...)
			took := time.Since(start)
			peak, now := memory(t, p, "VmHWM"), memory(t, p, "VmRSS")
			t.Logf("%d replies to %d clients in %v: idle %d MiB, at most %d MiB, in the end %d MiB; the bound is %d MiB",
				replies, len(all), took.Round(time.Millisecond), idle/mib, peak/mib, now/mib, (idle+c.bound)/mib)
			if peak > idle+c.bound {
				t.Errorf("it used %d MiB more than an idle bridge, and may use %d", (peak-idle)/mib, c.bound/mib)
			}
			mustHaveAll(t, replies, all)
		})
	}
}

// smallBuffer returns a dialer whose connections have a small receive buffer.
func smallBuffer() ws.Dialer {
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if e := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) }); e != nil {
			return e
		}
		return err
	}}
	return ws.Dialer{NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		return d.DialContext(ctx, network, addr)
	}}
}

// mustBeClosed reads up to the close frame.
func mustBeClosed(t *testing.T, conn net.Conn, code int) {
	t.Helper()
	e := &recordingClient{}
	_ = conn.SetDeadline(time.Now().Add(testkit.Patience))
	err := e.run(conn, reader(conn))
	if c, ok := errors.AsType[closed](err); !ok || c.code != code {
		t.Errorf("the client that reads nothing was not closed with %d: %v", code, err)
	}
}

// mustHaveAll checks that each client has received all replies in order.
func mustHaveAll(t *testing.T, replies int, all []*recordingClient) {
	t.Helper()
	numbers := make([]int, replies)
	for n := range numbers {
		numbers[n] = n
	}
	for _, e := range all {
		e.mustHaveReceived(t, numbers)
	}
}
