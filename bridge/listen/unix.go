package listen

import (
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

// probeTimeout is how long a process may take to accept a connection that asks
// whether it lives. The system accepts for it, so none needs that long.
const probeTimeout = time.Second

// unixListener is a Unix socket with its file.
type unixListener struct {
	*net.UnixListener
	path    string
	file    fs.FileInfo // as it was made: the path may have become another's
	removal sync.Once
}

// openUnix makes a Unix socket that those can use whom the mode lets write. Its
// folder is locked meanwhile: of two programs that find the same stale file, the
// second would remove the first one's fresh socket.
func openUnix(ctx context.Context, path string, mode fs.FileMode) (net.Listener, error) {
	unlock, err := lockFolder(filepath.Dir(path))
	if err != nil {
		return nil, folderError(path, err)
	}
	defer unlock()
	if err := removeStale(path); err != nil {
		return nil, err
	}
	lc := net.ListenConfig{Control: restrict(mode)}
	ln, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, folderError(path, err)
	}
	l := &unixListener{UnixListener: ln.(*net.UnixListener), path: path}
	l.SetUnlinkOnClose(false)
	if l.file, err = os.Lstat(path); err == nil {
		// The umask may have taken more than the mode leaves out.
		err = os.Chmod(path, mode)
	}
	if err != nil {
		l.UnixListener.Close()
		os.Remove(path)
		return nil, fmt.Errorf("the socket %s cannot be given its mode: %w", path, err)
	}
	return l, nil
}

// Close stops listening and removes the file, unless it is another's by now.
func (l *unixListener) Close() error {
	l.removal.Do(l.remove)
	return l.UnixListener.Close()
}

func (l *unixListener) remove() {
	// Without the lock the file may change between the look and the removal; that
	// is better than to leave it.
	if unlock, err := lockFolder(filepath.Dir(l.path)); err == nil {
		defer unlock()
	}
	if now, err := os.Lstat(l.path); err == nil && os.SameFile(now, l.file) {
		os.Remove(l.path)
	}
}

// removeStale removes the socket of a process that is gone.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return folderError(path, err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there and is no socket; remove it, or choose another path", path)
	}
	conn, err := net.DialTimeout("unix", path, probeTimeout)
	switch {
	case err == nil:
		conn.Close()
	case errors.Is(err, syscall.ECONNREFUSED):
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the socket of a process that is gone cannot be removed: %w; remove it, or choose another path", err)
		}
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s is another user's socket, and may be in use; remove it, or choose another path", path)
	}
	// Whatever else went wrong, such as a full queue, somebody holds the socket.
	return fmt.Errorf("another process serves %s; stop it, or choose another path", path)
}

// folderError says why there can be no socket at a path.
func folderError(path string, err error) error {
	folder := filepath.Dir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no folder %s for the socket; make it first", folder)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("this user may make no socket in the folder %s; choose another folder, or change its owner", folder)
	}
	return fmt.Errorf("no socket can be made at %s: %w", path, err)
}
