package amqpx

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// readAhead is how much is read from the network at once. The library reads
// through 4 KiB, a system call for every dozen replies.
const readAhead = 64 << 10

// socket is the network connection below TLS and the library. It reads ahead of
// them, and remembers how it failed, which the library tells as text or not at all.
type socket struct {
	net.Conn
	r   *bufio.Reader
	raw syscall.RawConn // nil if it cannot be written to without waiting
	// untie lets the socket outlive the context that it was dialled with.
	detach func() bool
	// last is when the network last gave all bytes that it had, in nanoseconds since began.
	last  atomic.Int64
	began time.Time

	// writing guards the following fields. It is held while the network is written to.
	writing   sync.Mutex
	unwritten []byte // what the network did not take at once; it comes before all else

	// mu guards the following field.
	mu     sync.Mutex
	failed error // the first failure, without the addresses of both ends
}

// newSocket ties a connection to the context, whose end closes it: what the
// library waits for has no context.
func newSocket(ctx context.Context, conn net.Conn) *socket {
	s := &socket{Conn: conn, began: time.Now()}
	s.r = bufio.NewReaderSize(networkReader{s}, readAhead)
	s.raw = rawOf(conn)
	s.detach = context.AfterFunc(ctx, func() { conn.Close() })
	return s
}

// networkReader is the network itself, before anything is read ahead.
type networkReader struct{ *socket }

func (h networkReader) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	if n > 0 && n < len(p) {
		h.last.Store(int64(time.Since(h.began)))
	}
	return n, err
}

// lastHeard is when anything, be it a heartbeat, last came from the broker, and was read
// with all that had come before it.
func (s *socket) lastHeard() time.Time { return s.began.Add(time.Duration(s.last.Load())) }

func (s *socket) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.noteError(err)
	return n, err
}

func (s *socket) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.writeUnwritten(); err != nil {
		return 0, err
	}
	n, err := s.Conn.Write(p)
	s.noteError(err)
	return n, err
}

// flush writes what writeNow has left.
func (s *socket) flush() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.writeUnwritten()
}

// writeUnwritten is called with writing held.
func (s *socket) writeUnwritten() error {
	if len(s.unwritten) == 0 {
		return nil
	}
	_, err := s.Conn.Write(s.unwritten)
	s.unwritten = nil
	s.noteError(err)
	return err
}

// tryLock takes writing, unless somebody writes, who may wait for the network, or something
// is before what would be written.
func (s *socket) tryLock() bool {
	if s.raw == nil || !s.writing.TryLock() {
		return false
	}
	if len(s.unwritten) > 0 {
		s.writing.Unlock()
		return false
	}
	return true
}

// writeNow writes without waiting for the network. What that does not take goes out before
// all else, at the next flush. It is called after tryLock.
func (s *socket) writeNow(p []byte) (int, error) {
	n, err := writeNow(s.raw, p)
	s.noteError(err)
	if err == nil && n < len(p) {
		s.unwritten = bytes.Clone(p[n:])
	}
	return len(p), err
}

func (s *socket) noteError(err error) {
	if err == nil || errors.Is(err, net.ErrClosed) { // closed by ourselves
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = stripAddr(err)
	}
}

// failure is how the network failed, or nil.
func (s *socket) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// cause is what is behind an error of the library: what the broker said, else
// how the network failed, else the error itself.
func (s *socket) cause(err error) error {
	if failed := s.failure(); failed != nil && !fromBroker(err) {
		return failed
	}
	return err
}

// bare is a network error without addresses: our own port is another one at
// every try, and would make the same failure a new one.
func stripAddr(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}
