package testkit

import "syscall"

// ownGroup puts a child in a process group of its own, to be killed as one, and lets the kernel
// kill it when the test binary dies, however it dies.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
