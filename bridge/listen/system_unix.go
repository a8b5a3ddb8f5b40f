//go:build unix

package listen

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxPath is the longest path of a Unix socket in bytes (unix(7)), without the terminating
// zero.
const maxPath = len(unix.RawSockaddrUnix{}.Path) - 1

// reusePort is a Control function for [net.ListenConfig].
func reusePort(_, _ string, c syscall.RawConn) (err error) {
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}); e != nil {
		return e
	}
	return err
}

// mostBacklog is the longest backlog that every system takes; each shortens it to its own limit.
const mostBacklog = 1<<16 - 1

// listenAgain sets the length of a listening socket's backlog.
func listenAgain(c syscall.RawConn) {
	_ = c.Control(func(fd uintptr) { _ = unix.Listen(int(fd), mostBacklog) })
}

// restrict sets the mode of a Unix socket before its file exists. Linux creates the file
// with that mode, minus the umask, so that no other user can connect before the chmod.
// Other systems refuse this, and until the chmod only the umask protects the file.
func restrict(mode fs.FileMode) func(_, _ string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = unix.Fchmod(int(fd), uint32(mode.Perm())) })
	}
}

// A folder stays locked while a socket is created.
const (
	lockTimeout = 2 * time.Second
	lockPause   = 5 * time.Millisecond
)

// lockFolder locks a folder against other bridges. The kernel releases the lock of a
// process that dies, and nothing is left behind.
func lockFolder(folder string) (unlock func(), err error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(lockTimeout)
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return func() { f.Close() }, nil
		case err != unix.EWOULDBLOCK && err != unix.EINTR:
			f.Close()
			return nil, &os.PathError{Op: "lock", Path: folder, Err: err}
		case time.Now().After(deadline):
			f.Close()
			return nil, fmt.Errorf("another process has locked the folder %s", folder)
		}
		time.Sleep(lockPause)
	}
}

// listenerAt returns a listener for an open file descriptor, which it closes.
func listenerAt(fd int) (net.Listener, error) {
	accepting, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil || accepting == 0 {
		// The descriptor stays open: it may be in other use.
		return nil, errNotListening
	}
	unix.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	return net.FileListener(f) // a duplicate, whose Close leaves the socket's file alone
}

// monotonic returns the time since the system's start in microseconds.
func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return ts.Nano() / 1000
}
