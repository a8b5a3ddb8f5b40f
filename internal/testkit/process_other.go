//go:build unix && !linux

package testkit

import "syscall"

// ownGroup puts a child in a process group of its own, to be killed as one. Outside Linux no kernel
// service ties it to the test binary: a test that is itself killed with SIGKILL leaves it behind.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// checkFrozen cannot tell outside Linux: a stop signal is taken at its word.
func (p *Process) checkFrozen() error { return nil }
