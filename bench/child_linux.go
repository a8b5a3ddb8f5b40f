package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is a process that this one started. It has its own process group, and is killed when this process ends.
type child struct {
	name  string
	pid   int
	stdin io.WriteCloser
	lines chan string   // its output
	tail  *tail         // the end of its log
	done  chan struct{} // closed when it has ended and was reaped
}

// startChild starts a program.
func startChild(name, program string, args ...string) (*child, error) {
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	// A grandchild may keep a pipe open after the child has ended.
	cmd.WaitDelay = time.Second
	c := &child{name: name, lines: make(chan string, 64), tail: &tail{}, done: make(chan struct{})}
	cmd.Stderr = c.tail
	var err error
	if c.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	started := make(chan error)
	go c.run(cmd, stdout, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", name, err)
	}
	c.pid = cmd.Process.Pid
	return c, nil
}

// run starts the process and waits for it on one thread: Pdeathsig is sent when the thread that forked ends.
func (c *child) run(cmd *exec.Cmd, stdout io.Reader, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	started <- err
	if err != nil {
		return
	}
	for scan := bufio.NewScanner(stdout); scan.Scan(); {
		select {
		case c.lines <- scan.Text():
		default: // nothing reads it
		}
	}
	// The exit status does not matter; errors quote the log.
	_ = cmd.Wait()
	close(c.done)
}

// line returns the next line of the child's output.
func (c *child) line(ctx context.Context) (string, error) {
	select {
	case line := <-c.lines:
		return line, nil
	case <-c.done:
		if len(c.lines) > 0 {
			return <-c.lines, nil
		}
		return "", fmt.Errorf("%s has ended; the end of its log:\n%s", c.name, c.tail)
	case <-ctx.Done():
		return "", fmt.Errorf("%s does not answer: %w", c.name, context.Cause(ctx))
	}
}

// address waits for the line that contains the child's address, and returns the word that starts with the scheme.
func (c *child) address(ctx context.Context, scheme string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("nothing within %v", startTimeout))
	defer cancel()
	for {
		line, err := c.line(ctx)
		if err != nil {
			return "", err
		}
		if strings.Contains(line, "NOT LINKED") {
			return "", fmt.Errorf("%s says: %s", c.name, line)
		}
		for word := range strings.FieldsSeq(line) {
			if strings.HasPrefix(word, scheme) {
				return strings.TrimRight(word, ",;"), nil
			}
		}
	}
}

// startTimeout is how long a child may take until it listens.
const startTimeout = time.Minute

// stop kills the child's process group, and waits until the child has ended.
func (c *child) stop() {
	select {
	case <-c.done:
	default:
		_ = syscall.Kill(-c.pid, syscall.SIGKILL)
		<-c.done
	}
}

// tail keeps the last bytes written to it.
type tail struct {
	mu   sync.Mutex // guards the following field
	text []byte
}

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if cut := len(t.text) - tailSize; cut > 0 {
		t.text = append(t.text[:0], t.text[cut:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
