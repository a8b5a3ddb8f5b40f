package engine

import "golang.org/x/sys/unix"

// peerOf returns the process at the other end of a Unix socket, as of its connect
// (unix(7), SO_PEERCRED).
func peerOf(fd int) (p UnixPeer, ok bool) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return p, false
	}
	// PID is 0 for a process in another PID namespace.
	return UnixPeer{PID: int(cred.Pid), UID: int(cred.Uid), GID: int(cred.Gid)}, true
}
