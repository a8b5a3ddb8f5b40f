package testkit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// Process is another program, started by one test or for one test binary.
type Process struct {
	Output *Output // standard output and standard error, interleaved

	name string
	cmd  *exec.Cmd
	done chan struct{} // closed once the process has ended and is reaped
	err  error         // how it ended; valid after done
}

// StartProcess starts cmd in a process group of its own, which is killed when the test ends. If the test has failed, the
// last output is logged. cmd.Stdout and cmd.Stderr are overwritten, except a standard output that is a file.
func StartProcess(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p, err := startProcess(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", p.name, p.Output.Tail())
		}
	})
	return p
}

func startProcess(cmd *exec.Cmd) (*Process, error) {
	p := &Process{Output: newOutput(), name: cmd.Args[0], cmd: cmd, done: make(chan struct{})}
	cmd.Stderr = p.Output
	if _, isFile := cmd.Stdout.(*os.File); !isFile {
		cmd.Stdout = p.Output
	}
	cmd.SysProcAttr = ownGroup()
	cmd.WaitDelay = 5 * time.Second // a grandchild may keep the pipe open after its parent has exited
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", p.name, err)
	}
	return p, nil
}

// run starts the process and waits for it on one thread. Linux kills the child when the *thread* that created it exits,
// and Go ends a thread when a goroutine exits while locked to it, as some of the tests' goroutines do. This thread lives
// as long as the child.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	p.Output.close()
	close(p.done)
}

// Pid returns the process id, which is also the id of its process group.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done returns a channel that is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err waits for the process to end and returns how it ended: nil for exit code 0.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Signal sends sig to the process alone, not to its children.
func (p *Process) Signal(sig syscall.Signal) error {
	select {
	case <-p.done: // the id may be reused by now
		return errors.New(p.name + " has ended")
	default:
		return sendSignal(p.Pid(), sig)
	}
}

// Kill kills the process and its group, and waits until the process has ended.
func (p *Process) Kill() {
	select {
	case <-p.done:
	default:
		killGroup(p.Pid())
		<-p.done
	}
}

// Stop sends SIGTERM and waits for the process to end. If it has not within timeout, it is killed and the test fails.
func (p *Process) Stop(t testing.TB, timeout time.Duration) {
	t.Helper()
	if err := p.stop(timeout); err != nil {
		t.Fatal(err)
	}
}

func (p *Process) stop(timeout time.Duration) error {
	_ = p.Signal(syscall.SIGTERM)
	_ = p.Signal(resumeSignal) // a paused process would not see the first
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	select {
	case <-p.done:
		return nil
	case <-deadline.C:
		p.Kill()
		return fmt.Errorf("%s did not stop within %v, and was killed; it wrote:\n%s", p.name, timeout, p.Output.Tail())
	}
}
