//go:build unix

package testkit

import "syscall"

// The signals that freeze a process and let it go on.
const (
	pauseSignal  = syscall.SIGSTOP
	resumeSignal = syscall.SIGCONT
)

// sendSignal sends sig to one process.
func sendSignal(pid int, sig syscall.Signal) error { return syscall.Kill(pid, sig) }

// killGroup ends the process group of a child that [ownGroup] was for.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
