package testkit

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// ownGroup puts a child in a process group of its own, which can be killed as one, and has the kernel kill the child when
// the test binary dies, however it dies.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// checkFrozen returns an error while a thread of a process that was sent SIGSTOP still runs.
func (p *Process) checkFrozen() error {
	threads, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(p.Pid()), "task", "*", "stat"))
	if err != nil {
		return err
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		// proc(5): the state follows the name, which may contain anything.
		state := bytes.TrimSpace(stat[bytes.LastIndexByte(stat, ')')+1:])[0]
		if state != 'T' {
			return fmt.Errorf("%s is in state %c", thread, state)
		}
	}
	return nil
}
