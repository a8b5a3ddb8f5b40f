package bench

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// readSize is how much is read from a socket at once.
	readSize = 256 << 10
	// eventsInTurn is how many events are taken from epoll at once.
	eventsInTurn = 512
)

// clientLoop reads all clients, on one thread with one epoll. It costs the machine
// about as much as it must, and the same whoever is measured.
type clientLoop struct {
	epoll, wake int
	start       time.Time
	ended       chan struct{}

	// What follows belongs to the thread.
	clients    []*client    // by file descriptor
	connecting []*clientSet // with clients that are not connected yet
	buf        []byte
	stopped    bool

	mu    sync.Mutex // guards the following field
	posts []func()   // to be run on the thread
}

func newClientLoop() (*clientLoop, error) {
	s := &clientLoop{start: time.Now(), ended: make(chan struct{}), buf: make([]byte, readSize)}
	var err error
	if s.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	if s.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		unix.Close(s.epoll)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	if err := s.register(s.wake, unix.EPOLLIN); err != nil {
		unix.Close(s.epoll)
		unix.Close(s.wake)
		return nil, err
	}
	go s.run()
	return s, nil
}

// close ends the thread and hangs up all clients.
func (s *clientLoop) close() {
	s.post(func() { s.stopped = true })
	<-s.ended
}

// clock is the time since the swarm began, in nanoseconds.
func (s *clientLoop) clock() int64 { return int64(time.Since(s.start)) }

// post has a function run on the thread.
func (s *clientLoop) post(do func()) {
	s.mu.Lock()
	s.posts = append(s.posts, do)
	s.mu.Unlock()
	// An error would mean that 2^64 wake-ups wait already.
	_, _ = unix.Write(s.wake, binary.NativeEndian.AppendUint64(nil, 1))
}

// call has a function run on the thread and waits for its end.
func (s *clientLoop) call(do func()) {
	done := make(chan struct{})
	s.post(func() { do(); close(done) })
	<-done
}

func (s *clientLoop) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(s.ended)
	events := make([]unix.EpollEvent, eventsInTurn)
	for !s.stopped {
		n, err := unix.EpollWait(s.epoll, events, -1)
		if err != nil && err != unix.EINTR {
			panic("bench: epoll_wait: " + err.Error())
		}
		for _, ev := range events[:max(n, 0)] {
			s.event(int(ev.Fd), ev.Events)
		}
		// Not before the events are done: a new socket may get the number of one
		// that was closed, whose events would be taken for its own.
		s.connectMore()
	}
	for _, c := range s.clients {
		if c != nil {
			c.disconnect()
		}
	}
	unix.Close(s.wake)
	unix.Close(s.epoll)
}

func (s *clientLoop) event(fd int, events uint32) {
	if fd == s.wake {
		s.runPosts()
		return
	}
	if fd >= len(s.clients) || s.clients[fd] == nil {
		return
	}
	c := s.clients[fd]
	if c.state == stateDialing && events&(unix.EPOLLOUT|unix.EPOLLERR) != 0 {
		c.sendUpgrade()
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 && c.state != stateGone {
		s.read(c, events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0)
	}
}

func (s *clientLoop) runPosts() {
	var count [8]byte
	_, _ = unix.Read(s.wake, count[:])
	s.mu.Lock()
	posts := s.posts
	s.posts = nil
	s.mu.Unlock()
	for _, do := range posts {
		do()
	}
}

// read takes all that a client's socket has. Unless the peer has ended, a short
// read has emptied the socket, and the next bytes are an event of their own.
func (s *clientLoop) read(c *client, ended bool) {
	for c.state != stateGone {
		n, err := unix.Read(c.fd, s.buf)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return
		case err != nil:
			c.fail("the connection broke: " + err.Error())
		case n == 0:
			c.fail("hung up without a close frame")
		default:
			c.receive(s.buf[:n])
			if n < len(s.buf) && !ended {
				return
			}
		}
	}
}

// register registers a socket with epoll.
func (s *clientLoop) register(fd int, events uint32) error {
	err := unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
	if err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return nil
}

// unregister leaves a socket alone: what comes stays in the kernel.
func (s *clientLoop) unregister(fd int) {
	_ = unix.EpollCtl(s.epoll, unix.EPOLL_CTL_DEL, fd, nil)
}
