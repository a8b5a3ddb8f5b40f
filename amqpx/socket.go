package amqpx

import (
	"bufio"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// readAhead is how much is read from the network at once. The library reads
// through 4 KiB, a system call for every dozen replies.
const readAhead = 64 << 10

// socket is the network connection below TLS and the library. It reads ahead of
// them, and remembers how it failed, which the library tells as text or not at all.
type socket struct {
	net.Conn
	r *bufio.Reader
	// untie lets the socket outlive the context that it was dialled with.
	untie func() bool
	// last is when the network last gave all bytes that it had, in nanoseconds since began.
	last  atomic.Int64
	began time.Time

	// writing guards the following fields. It is held while the network is written to.
	writing sync.Mutex
	holds   bool      // what is written is collected
	held    []byte    // so far
	since   time.Time // when the first of it came

	// mu guards the following field.
	mu     sync.Mutex
	failed error // the first failure, without the addresses of both ends
}

// newSocket ties a connection to the context, whose end closes it: what the
// library waits for has no context.
func newSocket(ctx context.Context, conn net.Conn) *socket {
	s := &socket{Conn: conn, began: time.Now()}
	s.r = bufio.NewReaderSize(heard{s}, readAhead)
	s.untie = context.AfterFunc(ctx, func() { conn.Close() })
	return s
}

// heard is the network itself, before anything is read ahead.
type heard struct{ *socket }

func (h heard) Read(p []byte) (int, error) {
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
	s.note(err)
	return n, err
}

func (s *socket) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.holds && len(s.held)+len(p) <= maxHeld {
		if len(s.held) == 0 {
			s.since = time.Now()
		}
		s.held = append(s.held, p...)
		return len(p), nil
	}
	if err := s.flush(); err != nil {
		return 0, err
	}
	n, err := s.Conn.Write(p)
	s.note(err)
	return n, err
}

// maxHeld is how much is written at once.
const maxHeld = 32 << 10

// hold collects what is written until the release: the library makes a system call
// of each publish.
func (s *socket) hold() {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.holds = true
}

// release writes what was collected.
func (s *socket) release() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.holds = false
	return s.flush()
}

// heldTooLong is how old what was collected may be when it is written. That takes no
// longer than it takes to collect 32 KiB, unless the process stood still meanwhile.
const heldTooLong = time.Second

var errStoodStill = errors.New("the process stood still with messages in hand, which would be late")

// flush is called with writing held.
func (s *socket) flush() error {
	if len(s.held) == 0 {
		return nil
	}
	// The clock on the wall goes on while the machine is suspended.
	if time.Now().Round(0).Sub(s.since.Round(0)) > heldTooLong {
		s.held = s.held[:0]
		s.note(errStoodStill)
		s.Conn.Close() // the stream lacks a piece
		return errStoodStill
	}
	_, err := s.Conn.Write(s.held)
	s.held = s.held[:0]
	s.note(err)
	return err
}

func (s *socket) note(err error) {
	if err == nil || errors.Is(err, net.ErrClosed) { // closed by ourselves
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = bare(err)
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
	if failed := s.failure(); failed != nil && !said(err) {
		return failed
	}
	return err
}

// bare is a network error without addresses: our own port is another one at
// every try, and would make the same failure a new one.
func bare(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}
