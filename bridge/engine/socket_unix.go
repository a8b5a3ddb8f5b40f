//go:build unix && !linux

package engine

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// newPoller opens the poller of a loop; there is only one kind.
func newPoller(bool) (poller, error) { return newPortable(), nil }

// acceptSocket accepts a connection as a nonblocking socket. Not every system has accept4:
// until the socket is marked close-on-exec, no process may be started that would inherit
// it.
func acceptSocket(fd int) (int, syscall.Sockaddr, error) {
	syscall.ForkLock.RLock()
	client, from, err := syscall.Accept(fd)
	if err == nil {
		unix.CloseOnExec(client)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, nil, err
	}
	if err := unix.SetNonblock(client, true); err != nil {
		unix.Close(client)
		return -1, nil, err
	}
	return client, from, nil
}

// inheritsOptions reports whether accepted sockets inherit a listener's options. Systems
// differ in which options they inherit.
func inheritsOptions(int) bool { return false }

// fionread is FIONREAD, _IOR('f', 127, int) on every BSD.
const fionread = 0x4004667f

// unreadBytes returns the number of bytes waiting in a socket.
func unreadBytes(fd int) (int, error) { return unix.IoctlGetInt(fd, fionread) }
