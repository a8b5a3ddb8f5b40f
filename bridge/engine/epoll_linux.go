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

// epoll is one epoll instance, and a deadline that interrupts its wait. Connections
// are registered once, edge-triggered, for everything, and nothing needs to be asked
// for again.
type epoll struct {
	epfd   int
	file   *os.File // epfd, as Go's poller knows it
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
	unblocked := unix.SetNonblock(p.epfd, true) // Go's poller takes no other
	p.file = os.NewFile(uintptr(p.epfd), "epoll")
	p.raw, err = p.file.SyscallConn()
	if err = errors.Join(unblocked, err, p.file.SetReadDeadline(time.Time{})); err != nil {
		p.file.Close()
		return nil, fmt.Errorf("engine: Go's poller does not take an epoll instance: %w", err)
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

// closeSocket relies on the kernel, which takes a closed socket from the set.
func (p *epoll) closeSocket(c *conn) { unix.Close(int(c.fd)) }

func (p *epoll) release(c *conn) *os.File {
	p.pause(int(c.fd))
	return os.NewFile(uintptr(c.fd), "client")
}

// listen is level-triggered: what one round does not accept, the next does.
func (p *epoll) listen(fd int) error {
	return p.register(fd, unix.EPOLLIN, listenSlot, uint32(fd))
}

func (p *epoll) pause(fd int) {
	// An error means that it is not there, which is what is asked for.
	_ = unix.EpollCtl(p.epfd, unix.EPOLL_CTL_DEL, fd, nil)
}

func (p *epoll) unlisten(fd int) { p.pause(fd) }

// wait blocks until something happens, or for the timeout. It waits in Go's own
// poller, of which an epoll instance is as good a client as any socket: a thread
// that blocks in epoll_wait would keep its processor from everything else for up
// to 10 ms, until the runtime's monitor takes it away.
func (p *epoll) wait(timeout time.Duration) []event {
	n := 0
	switch {
	case timeout == 0 || p.woken.Load():
		n = p.poll()
	default:
		// Errors are the deadline's, and of no interest: there may be events or not.
		_ = p.file.SetReadDeadline(time.Now().Add(timeout))
		if p.woken.Load() { // wake's deadline may just have been replaced
			n = p.poll()
			break
		}
		// It looks for events before it waits.
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

// poll takes the events that are there.
func (p *epoll) poll() int {
	for {
		n, err := unix.EpollWait(p.epfd, p.kernel[:], 0)
		if err == nil {
			return n
		}
		if err != unix.EINTR {
			panic("engine: epoll_wait: " + err.Error()) // a bug in how the poller is used
		}
	}
}

// wake lets the deadline of the wait pass. Go's scheduler runs the loop next on the
// caller's processor then: an event of an eventfd would have to find its way through
// two epoll instances, and through a thread that waits for the outer one.
func (p *epoll) wake() {
	p.woken.Store(true)
	// An error means that the poller is closed, and its loop ended.
	_ = p.file.SetReadDeadline(pastDeadline)
}

// pastDeadline is a deadline that has passed.
var pastDeadline = time.Unix(1, 0)
