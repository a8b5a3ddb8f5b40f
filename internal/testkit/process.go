package testkit

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// Process is an outside program that belongs to one test, or to one test binary.
type Process struct {
	Output *Output // standard output and standard error, as they came

	name string
	cmd  *exec.Cmd
	done chan struct{} // closed once the process has ended and was reaped
	err  error         // how it ended; read it after done
}

// StartProcess starts cmd, in a process group of its own. It is killed, with all of its group, when
// the test ends; its last output is shown if the test has failed. cmd.Stdout and cmd.Stderr are
// taken over.
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
	cmd.Stdout, cmd.Stderr = p.Output, p.Output
	cmd.SysProcAttr = ownGroup()
	cmd.WaitDelay = time.Second // a grandchild may keep the pipe open after its parent has gone
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", p.name, err)
	}
	return p, nil
}

// run starts the process and waits for it, on one thread. Linux ties the child to the life of the
// *thread* that made it, and Go ends a thread when a goroutine ends while locked to it, as some of
// the tests' goroutines do; this thread lives as long as the child.
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

// Pid is the process id, and the id of its process group.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the process ended; it is nil for exit code 0. It waits for the end.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Signal sends sig to the process alone, not to its children.
func (p *Process) Signal(sig syscall.Signal) error {
	select {
	case <-p.done: // the id may belong to somebody else by now
		return errors.New(p.name + " has ended")
	default:
		return sendSignal(p.Pid(), sig)
	}
}

// Kill ends the process and its whole group at once, and waits until it has gone.
func (p *Process) Kill() {
	select {
	case <-p.done:
	default:
		killGroup(p.Pid())
		<-p.done
	}
}

// Stop asks the process to end (SIGTERM) and waits for it, at most timeout; then it is killed and
// the test fails.
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
