//go:build darwin || freebsd

package engine

import "golang.org/x/sys/unix"

// peerOf returns the process at the other end of a Unix socket, as of its connect
// (unix(4), LOCAL_PEERCRED).
func peerOf(fd int) (p UnixPeer, ok bool) {
	cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil || cred.Ngroups < 1 {
		return p, false
	}
	// The first group is the effective one.
	return UnixPeer{PID: peerPID(fd), UID: int(cred.Uid), GID: int(cred.Groups[0])}, true
}
