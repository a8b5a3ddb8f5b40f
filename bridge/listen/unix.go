package listen

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// probeTimeout is how long a connection to a possibly stale socket may take. The system
// accepts it, so the other process needs no time.
const probeTimeout = time.Second

// unixListener is a Unix socket that removes its file.
type unixListener struct {
	*net.UnixListener
	path    string
	file    fs.FileInfo // as created: the path may belong to another process by now
	removal sync.Once
}

// openUnix creates a Unix socket with a mode, unless its address has one. Its folder is locked meanwhile: of two
// programs that find the same stale file, the second would otherwise remove the first one's
// new socket.
func openUnix(ctx context.Context, a Address, mode fs.FileMode) (net.Listener, error) {
	path, mode := a.Name, cmp.Or(a.File.Mode, mode)
	unlock, err := lockFolder(filepath.Dir(path))
	if err != nil {
		return nil, folderError(path, err)
	}
	defer unlock()
	if err := removeStale(path); err != nil {
		return nil, err
	}
	first := mode
	if a.File.Group != "" {
		first &= 0o700 // until the file is the group's
	}
	lc := net.ListenConfig{Control: restrict(first)}
	ln, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, folderError(path, err)
	}
	deepenBacklog(ln)
	l := &unixListener{UnixListener: ln.(*net.UnixListener), path: path}
	l.SetUnlinkOnClose(false)
	if l.file, err = os.Lstat(path); err == nil {
		err = a.File.apply(path, mode)
	}
	if err != nil {
		l.UnixListener.Close()
		os.Remove(path)
		return nil, err
	}
	return l, nil
}

// Close stops listening and removes the file, unless another process has replaced it.
func (l *unixListener) Close() error {
	l.removal.Do(l.remove)
	return l.UnixListener.Close()
}

func (l *unixListener) remove() {
	// Without the lock the file may change between the check and the removal, which is
	// better than leaving it.
	if unlock, err := lockFolder(filepath.Dir(l.path)); err == nil {
		defer unlock()
	}
	if now, err := os.Lstat(l.path); err == nil && os.SameFile(now, l.file) {
		os.Remove(l.path)
	}
}

// removeStale removes the socket file of a process that has died.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return folderError(path, err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s exists and is not a socket; remove it, or choose another path", path)
	}
	conn, err := net.DialTimeout("unix", path, probeTimeout)
	switch {
	case err == nil:
		conn.Close()
	case errors.Is(err, syscall.ECONNREFUSED):
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot remove the socket of a process that has died: %w; remove it, or choose another path", err)
		}
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s is another user's socket and may be in use; remove it, or choose another path", path)
	}
	// After any other error, such as a full queue, some process still holds the socket.
	return fmt.Errorf("another process is listening on %s; stop it, or choose another path", path)
}

// folderError explains why a socket cannot be created at a path.
func folderError(path string, err error) error {
	folder := filepath.Dir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the folder %s for the socket does not exist; create it first", folder)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("this user may not create a socket in the folder %s; choose another folder, or change its owner", folder)
	}
	return fmt.Errorf("cannot create a socket at %s: %w", path, err)
}
