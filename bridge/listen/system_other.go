//go:build !unix

package listen

import (
	"errors"
	"io/fs"
	"net"
	"syscall"
)

// Other systems have TCP and TLS only.

const maxPath = 107

var errNoUnix = errors.New("this needs Linux or another Unix")

func reusePort(_, _ string, _ syscall.RawConn) error { return errNoUnix }

func listenAgain(syscall.RawConn) {}

func restrict(fs.FileMode) func(_, _ string, _ syscall.RawConn) error { return nil }

func lockFolder(string) (unlock func(), err error) { return nil, errNoUnix }

func listenerAt(int) (net.Listener, error) { return nil, errNoUnix }

func monotonic() int64 { return 0 }
