package listen

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// open listens until the test ends.
func open(t *testing.T, a Address, o Options) net.Listener {
	t.Helper()
	ln, err := Open(t.Context(), a, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// echo serves a listener until it is closed: each connection gets its first
// bytes back.
func echo(t *testing.T, ln net.Listener) {
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(testkit.Patience))
				buf := make([]byte, 100)
				n, _ := conn.Read(buf)
				_, _ = conn.Write(buf[:n])
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		running.Wait()
	})
}

// echoes reports whether a connection echoes what it is sent.
func echoes(t *testing.T, conn net.Conn, err error) bool {
	t.Helper()
	if err != nil {
		t.Log(err)
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(testkit.Patience))
	if _, err := io.WriteString(conn, "hello"); err != nil {
		t.Log(err)
		return false
	}
	got, err := io.ReadAll(conn)
	if string(got) != "hello" {
		t.Logf("got %q, %v", got, err)
	}
	return string(got) == "hello"
}

func dial(ctx context.Context, a net.Addr) (net.Conn, error) {
	return (&net.Dialer{Timeout: testkit.Patience}).DialContext(ctx, a.Network(), a.String())
}
