package engine

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// poller is one epoll instance and the eventfd that interrupts its wait.
//
// Connections are registered once, edge-triggered, for everything. An event
// carries 64 bits of ours, slot and generation, so that an event of a socket
// that is closed meanwhile can never be taken for its successor's.
type poller struct {
	epfd, wakefd int
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
	if p.wakefd, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		unix.Close(p.epfd)
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
	unix.Close(p.epfd)
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

// wait blocks until something happens, or for the timeout in milliseconds.
func (p *poller) wait(timeout int) []unix.EpollEvent {
	n, err := unix.EpollWait(p.epfd, p.events[:], timeout)
	if err != nil {
		// EINTR; anything else is a bug in how the poller is used.
		if err != unix.EINTR {
			panic("engine: epoll_wait: " + err.Error())
		}
		return nil
	}
	return p.events[:n]
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
