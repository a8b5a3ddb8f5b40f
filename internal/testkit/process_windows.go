package testkit

import (
	"errors"
	"os"
	"syscall"
)

// Windows has no such signals: sending one is an error.
const (
	pauseSignal  = syscall.Signal(0x13)
	resumeSignal = syscall.Signal(0x12)
)

// ownGroup puts a child in a process group of its own: Ctrl-C is not for it.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// sendSignal ends a process if the signal is [os.Kill]; Windows knows no other.
func sendSignal(pid int, sig syscall.Signal) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Signal(sig)
}

// killGroup ends the child. Its own children live on: a group is not a tree here.
func killGroup(pid int) { _ = sendSignal(pid, syscall.SIGKILL) }

// checkFrozen is an error: no process can be frozen.
func (p *Process) checkFrozen() error { return errors.New("windows cannot freeze a process") }
