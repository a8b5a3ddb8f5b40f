//go:build unix

package amqpx

import (
	"bytes"
	"io"
	"net"
	"testing"
)

// tcpPair returns the two ends of a TCP connection.
func tcpPair(t *testing.T) (here, there net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if here, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if there, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close(); there.Close() })
	return here, there
}

func TestWhatTheNetworkDoesNotTakeAtOnceGoesFirst(t *testing.T) {
	here, there := tcpPair(t)
	s := newSocket(t.Context(), here)
	var want []byte
	for piece := byte(0); ; piece++ {
		if !s.tryLock() {
			t.Fatal("nobody writes, and nothing waits")
		}
		p := bytes.Repeat([]byte{piece}, 1<<20)
		want = append(want, p...)
		_, err := s.writeNow(p)
		full := len(s.unwritten) > 0
		s.writing.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		if full {
			break
		}
	}
	if s.tryLock() {
		t.Error("what is written now would come before what waits")
	}
	written := make(chan error)
	go func() {
		_, err := s.Write([]byte("a heartbeat"))
		s.Close()
		written <- err
	}()
	got, err := io.ReadAll(there)
	if err := <-written; err != nil {
		t.Error(err)
	}
	if err != nil || !bytes.Equal(got, append(want, "a heartbeat"...)) {
		t.Errorf("%d bytes came of %d, or others; %v", len(got), len(want), err)
	}
}

func TestNothingIsWrittenNowWhileAnotherWriteWaitsForTheNetwork(t *testing.T) {
	here, _ := tcpPair(t)
	s := newSocket(t.Context(), here)
	s.writing.Lock()
	if s.tryLock() {
		t.Error("two write at a time")
	}
	s.writing.Unlock()
	pipe, _ := net.Pipe()
	if newSocket(t.Context(), pipe).tryLock() {
		t.Error("a pipe takes nothing without waiting")
	}
}

// sealed is a connection that does more than a socket, such as a tunnel.
type sealed struct{ *net.TCPConn }

func TestAConnectionThatWritesInItsOwnWayIsNotBypassed(t *testing.T) {
	here, _ := tcpPair(t)
	if !newSocket(t.Context(), here).tryLock() {
		t.Error("a connection over TCP is not written to at once")
	}
	if newSocket(t.Context(), sealed{here.(*net.TCPConn)}).tryLock() {
		t.Error("what is written goes around the connection")
	}
}
