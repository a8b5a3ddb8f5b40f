package engine

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// newPoller opens the poller of a loop.
func newPoller(portable bool) (poller, error) {
	if portable {
		return newPortable(), nil
	}
	return newEpoll()
}

// epoll is an epoll instance with a deadline that interrupts its wait. Connections are
// registered once, edge-triggered, for all events, so reports need not be requested again.
type epoll struct {
	epfd   int
	file   *os.File // epfd, registered with Go's poller
	raw    syscall.RawConn
	woken  atomic.Bool // wake was called since the last wait ended
	kernel [eventsPerTurn]unix.EpollEvent
	events [eventsPerTurn]event
}

func newEpoll() (*epoll, error) {
	p := &epoll{}
	var err error
	if p.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("engine: epoll_create: %w", err)
	}
	unblocked := unix.SetNonblock(p.epfd, true) // required by Go's poller
	p.file = os.NewFile(uintptr(p.epfd), "epoll")
	p.raw, err = p.file.SyscallConn()
	if err = errors.Join(unblocked, err, p.file.SetReadDeadline(time.Time{})); err != nil {
		p.file.Close()
		return nil, fmt.Errorf("engine: Go's poller does not accept an epoll instance: %w", err)
	}
	return p, nil
}

func (p *epoll) close() { p.file.Close() }

func (p *epoll) register(fd int, events uint32, slot int32, gen uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: slot, Pad: int32(gen)}
	if err := unix.EpollCtl(p.epfd, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("engine: epoll_ctl: %w", err)
	}
	return nil
}

func (p *epoll) add(fd int, slot int32, gen uint32) error {
	return p.register(fd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP|unix.EPOLLET, slot, gen)
}

func (p *epoll) oneShot() bool       { return false }
func (p *epoll) awaitReadable(int32) {}
func (p *epoll) awaitWritable(int32) {}

// closeSocket relies on the kernel, which removes a closed socket from the set.
func (p *epoll) closeSocket(c *conn) { unix.Close(int(c.fd)) }

func (p *epoll) release(c *conn) *os.File {
	p.pause(int(c.fd))
	return os.NewFile(uintptr(c.fd), "client")
}

// listen is level-triggered: what one turn does not accept, the next does.
func (p *epoll) listen(fd int) error {
	return p.register(fd, unix.EPOLLIN, listenSlot, uint32(fd))
}

func (p *epoll) pause(fd int) {
	// An error means that it is not there, which is the goal.
	_ = unix.EpollCtl(p.epfd, unix.EPOLL_CTL_DEL, fd, nil)
}

func (p *epoll) unlisten(fd int) { p.pause(fd) }

// wait blocks until something happens, or for the timeout. It waits in Go's own poller,
// which accepts an epoll instance like any socket: a thread blocked in epoll_wait would
// keep its processor from other goroutines for up to 10 ms, until the runtime's monitor
// takes it away.
func (p *epoll) wait(timeout time.Duration) []event {
	n := 0
	switch {
	case timeout == 0 || p.woken.Load():
		n = p.poll()
	default:
		// An error is the deadline's: there may be events or not.
		_ = p.file.SetReadDeadline(time.Now().Add(timeout))
		if p.woken.Load() { // wake's deadline may just have been overwritten
			n = p.poll()
			break
		}
		// Read calls this before it waits.
		_ = p.raw.Read(func(uintptr) bool {
			n = p.poll()
			return n > 0
		})
	}
	p.woken.Store(false)
	for i, ev := range p.kernel[:n] {
		p.events[i] = event{ev.Fd, uint32(ev.Pad), eventBits(ev.Events)}
	}
	return p.events[:n]
}

// eventBits translates epoll's bits.
func eventBits(bits uint32) (what uint8) {
	const ended = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	if bits&(unix.EPOLLIN|ended) != 0 {
		what |= eventReadable
	}
	if bits&ended != 0 {
		what |= eventEnded
	}
	if bits&unix.EPOLLOUT != 0 {
		what |= eventWritable
	}
	return what
}

// poll takes the pending events.
func (p *epoll) poll() int {
	for {
		n, err := unix.EpollWait(p.epfd, p.kernel[:], 0)
		if err == nil {
			return n
		}
		if err != unix.EINTR {
			panic("engine: epoll_wait: " + err.Error()) // a bug in the use of the poller
		}
	}
}

// wake makes the deadline of the wait expire. Go's scheduler then runs the loop next on the
// caller's processor. The event of an eventfd would have to pass two epoll instances, and a
// thread that waits for the outer one.
func (p *epoll) wake() {
	p.woken.Store(true)
	// An error means that the poller is closed, and its loop has ended.
	_ = p.file.SetReadDeadline(pastDeadline)
}

// pastDeadline is a deadline that has passed.
var pastDeadline = time.Unix(1, 0)
