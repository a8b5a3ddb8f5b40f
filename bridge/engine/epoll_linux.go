package engine

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// poller is one epoll instance and the eventfd that interrupts its wait.
//
// Connections are registered once, edge-triggered, for everything. An event
// carries 64 bits of ours, slot and generation, so that an event of a socket
// that is closed meanwhile can never be taken for its successor's.
type poller struct {
	epfd, wakefd int
	file         *os.File // epfd, as Go's poller knows it
	raw          syscall.RawConn
	events       [256]unix.EpollEvent
}

// Slots that are no connection's.
const (
	wakeSlot   = -1
	listenSlot = -2 // the generation is the file descriptor
)

func (p *poller) open() (err error) {
	if p.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("engine: epoll_create: %w", err)
	}
	if err := unix.SetNonblock(p.epfd, true); err != nil { // Go's poller takes no other
		unix.Close(p.epfd)
		return fmt.Errorf("engine: epoll: %w", err)
	}
	p.file = os.NewFile(uintptr(p.epfd), "epoll")
	if p.raw, err = p.file.SyscallConn(); err != nil {
		p.file.Close()
		return fmt.Errorf("engine: epoll: %w", err)
	}
	if p.wakefd, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		p.file.Close()
		return fmt.Errorf("engine: eventfd: %w", err)
	}
	// Edge-triggered, each write is an event of its own: nobody needs to read it.
	if err = p.add(p.wakefd, unix.EPOLLIN|unix.EPOLLET, wakeSlot, 0); err != nil {
		p.close()
		return err
	}
	return nil
}

func (p *poller) close() {
	unix.Close(p.wakefd)
	p.file.Close()
}

func (p *poller) add(fd int, events uint32, slot int32, gen uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: slot, Pad: int32(gen)}
	if err := unix.EpollCtl(p.epfd, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("engine: epoll_ctl: %w", err)
	}
	return nil
}

func (p *poller) addConn(fd int, slot int32, gen uint32) error {
	return p.add(fd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP|unix.EPOLLET, slot, gen)
}

// addListener is level-triggered: what one round does not accept, the next does.
func (p *poller) addListener(fd int) error {
	return p.add(fd, unix.EPOLLIN, listenSlot, uint32(fd))
}

func (p *poller) remove(fd int) {
	// An error means that it is not there, which is what is asked for.
	_ = unix.EpollCtl(p.epfd, unix.EPOLL_CTL_DEL, fd, nil)
}

// wait blocks until something happens, or for the timeout. It waits in Go's own
// poller, of which an epoll instance is as good a client as any socket: a thread
// that blocks in epoll_wait would keep its processor from everything else for up
// to 10 ms, until the runtime's monitor takes it away.
func (p *poller) wait(timeout time.Duration) []unix.EpollEvent {
	n := p.poll()
	if n > 0 || timeout == 0 {
		return p.events[:n]
	}
	// Errors are the deadline's, and of no interest: there may be events or not.
	_ = p.file.SetReadDeadline(time.Now().Add(timeout))
	_ = p.raw.Read(func(uintptr) bool {
		n = p.poll()
		return n > 0
	})
	return p.events[:n]
}

// poll takes the events that are there.
func (p *poller) poll() int {
	for {
		n, err := unix.EpollWait(p.epfd, p.events[:], 0)
		if err == nil {
			return n
		}
		if err != unix.EINTR {
			panic("engine: epoll_wait: " + err.Error()) // a bug in how the poller is used
		}
	}
}

// wake interrupts wait, from any goroutine.
func (p *poller) wake() {
	one := [8]byte{1}
	// An error means that so many wakes are pending that one more says nothing.
	_, _ = unix.Write(p.wakefd, one[:])
}

const (
	eventReadable = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	eventEnded    = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	eventWritable = unix.EPOLLOUT
)
