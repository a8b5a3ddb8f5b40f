package testkit

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"
)

// Enough for any start; of a process that writes more, the oldest bytes are dropped.
const (
	outputKept = 1 << 20
	tailLines  = 60
)

// Output keeps what a process writes, and lets a test wait for a line of it.
type Output struct {
	mu    sync.Mutex // guards the following fields
	kept  []byte
	ended bool
	more  chan struct{} // closed and replaced on every write and at the end
}

func newOutput() *Output { return &Output{more: make(chan struct{})} }

// Write takes what the process writes. It never fails.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept = append(o.kept, b...)
	if len(o.kept) > 2*outputKept { // rarely, so that not every write copies
		o.kept = append(o.kept[:0], o.kept[len(o.kept)-outputKept:]...)
	}
	o.wake()
	return len(b), nil
}

func (o *Output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.wake()
}

// wake makes every waiting reader look again. The caller holds mu.
func (o *Output) wake() {
	close(o.more)
	o.more = make(chan struct{})
}

// String returns the output, without what was dropped.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.kept)
}

// Tail returns the last lines, for the report of a failure.
func (o *Output) Tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := bytes.Split(bytes.TrimRight(o.kept, "\n"), []byte("\n"))
	if len(lines) > tailLines {
		lines = lines[len(lines)-tailLines:]
	}
	return string(bytes.Join(lines, []byte("\n")))
}

// WaitFor returns the first complete line that contains text, without its line end. The test fails if there is none
// within timeout, or if the process ends without one.
func (o *Output) WaitFor(t testing.TB, timeout time.Duration, text string) string {
	t.Helper()
	line, err := o.waitFor(timeout, text)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func (o *Output) waitFor(timeout time.Duration, text string) (string, error) {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for {
		line, found, ended, more := o.look(text)
		switch {
		case found:
			return line, nil
		case ended:
			return "", fmt.Errorf("the process ended without %q; it wrote:\n%s", text, o.Tail())
		}
		select {
		case <-more:
		case <-deadline.C:
			return "", fmt.Errorf("no %q within %v; the process wrote:\n%s", text, timeout, o.Tail())
		}
	}
}

// look searches the complete lines. more is closed at the next write.
func (o *Output) look(text string) (line string, found, ended bool, more <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for rest := o.kept; ; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			return "", false, o.ended, o.more
		}
		if bytes.Contains(rest[:end], []byte(text)) {
			return string(bytes.TrimRight(rest[:end], "\r")), true, o.ended, o.more
		}
		rest = rest[end+1:]
	}
}
