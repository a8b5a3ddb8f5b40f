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
	// readSize is how many bytes are read from a socket at once.
	readSize = 256 << 10
	// eventsInTurn is how many events are taken from epoll at once.
	eventsInTurn = 512
)

// clientLoop reads all clients, on one thread with one epoll. It costs the machine little, and the same for every target.
type clientLoop struct {
	epoll, wake int
	start       time.Time
	ended       chan struct{}

	// The following fields belong to the thread.
	clients    []*client    // by file descriptor
	connecting []*clientSet // with clients that are not connected yet
	buf        []byte
	stopped    bool

	mu    sync.Mutex // guards the following field
	posts []func()   // to run on the thread
}

func newClientLoop() (*clientLoop, error) {
	l := &clientLoop{start: time.Now(), ended: make(chan struct{}), buf: make([]byte, readSize)}
	var err error
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	if l.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		unix.Close(l.epoll)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	if err := l.register(l.wake, unix.EPOLLIN); err != nil {
		unix.Close(l.epoll)
		unix.Close(l.wake)
		return nil, err
	}
	go l.run()
	return l, nil
}

// close ends the thread and disconnects all clients.
func (l *clientLoop) close() {
	l.post(func() { l.stopped = true })
	<-l.ended
}

// clock returns the time since the loop started, in nanoseconds.
func (l *clientLoop) clock() int64 { return int64(time.Since(l.start)) }

// post runs a function on the thread.
func (l *clientLoop) post(do func()) {
	l.mu.Lock()
	l.posts = append(l.posts, do)
	l.mu.Unlock()
	// An error would mean that 2^64 wake-ups are pending.
	_, _ = unix.Write(l.wake, binary.NativeEndian.AppendUint64(nil, 1))
}

// call runs a function on the thread and waits until it returns.
func (l *clientLoop) call(do func()) {
	done := make(chan struct{})
	l.post(func() { do(); close(done) })
	<-done
}

func (l *clientLoop) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(l.ended)
	events := make([]unix.EpollEvent, eventsInTurn)
	for !l.stopped {
		n, err := unix.EpollWait(l.epoll, events, -1)
		if err != nil && err != unix.EINTR {
			panic("bench: epoll_wait: " + err.Error())
		}
		for _, ev := range events[:max(n, 0)] {
			l.event(int(ev.Fd), ev.Events)
		}
		// After the events: a new socket may reuse the number of a closed one, and must not get its events.
		l.connectMore()
	}
	for _, c := range l.clients {
		if c != nil {
			c.disconnect()
		}
	}
	unix.Close(l.wake)
	unix.Close(l.epoll)
}

func (l *clientLoop) event(fd int, events uint32) {
	if fd == l.wake {
		l.runPosts()
		return
	}
	if fd >= len(l.clients) || l.clients[fd] == nil {
		return
	}
	c := l.clients[fd]
	if c.state == stateDialing && events&(unix.EPOLLOUT|unix.EPOLLERR) != 0 {
		c.sendUpgrade()
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 && c.state != stateGone {
		l.read(c, events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0)
	}
}

func (l *clientLoop) runPosts() {
	var count [8]byte
	_, _ = unix.Read(l.wake, count[:])
	l.mu.Lock()
	posts := l.posts
	l.posts = nil
	l.mu.Unlock()
	for _, do := range posts {
		do()
	}
}

// read reads everything from a client's socket. Unless the peer has ended, a short read has emptied the socket, and the
// next bytes are a new event.
func (l *clientLoop) read(c *client, ended bool) {
	for c.state != stateGone {
		n, err := unix.Read(c.fd, l.buf)
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
			c.receive(l.buf[:n])
			if n < len(l.buf) && !ended {
				return
			}
		}
	}
}

// register registers a socket with epoll.
func (l *clientLoop) register(fd int, events uint32) error {
	err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
	if err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return nil
}

// unregister stops reading a socket: its bytes stay in the kernel.
func (l *clientLoop) unregister(fd int) {
	_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_DEL, fd, nil)
}
