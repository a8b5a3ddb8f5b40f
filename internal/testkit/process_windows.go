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

// ownGroup puts a child in a process group of its own, which Ctrl-C does not reach.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// sendSignal ends a process if the signal is [os.Kill], the only one on Windows.
func sendSignal(pid int, sig syscall.Signal) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Signal(sig)
}

// killGroup kills the child alone: its own children live on.
func killGroup(pid int) { _ = sendSignal(pid, syscall.SIGKILL) }

// checkFrozen returns an error: Windows cannot freeze a process.
func (p *Process) checkFrozen() error { return errors.New("windows cannot freeze a process") }
