//go:build unix && !linux

package testkit

import "syscall"

// ownGroup puts a child in a process group of its own, which can be killed as one. Only Linux kills the child with the
// test binary: elsewhere a test that is killed with SIGKILL leaves it behind.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// checkFrozen trusts the signal: only Linux shows the state of each thread.
func (p *Process) checkFrozen() error { return nil }
