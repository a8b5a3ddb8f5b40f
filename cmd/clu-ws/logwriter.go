package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// maxLogWaiting is how much of the log may wait for whoever reads it, in bytes.
const maxLogWaiting = 1 << 20

// logWriter takes the log for a reader that may take nothing for a while, or never
// again: journald that restarts, a terminal that was halted with Ctrl-S, a pipe into a
// program that hangs. Commands and loops write lines to the log, and must not wait for
// it: what finds no room is left out, and the log says how many lines that were.
type logWriter struct {
	to io.Writer

	// mu guards the following fields. Nothing waits while it is held.
	mu      sync.Mutex
	waiting []byte
	omitted int           // lines since then
	written chan struct{} // closed when nothing waits any more; nil while that is so
}

func newLogWriter(to io.Writer) *logWriter { return &logWriter{to: to} }

// Write takes a line. It does not block, and gives no error: nobody could tell of it.
func (l *logWriter) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting)+len(line) > maxLogWaiting {
		l.omitted++
		return len(line), nil
	}
	l.waiting = append(l.waiting, line...)
	if l.written == nil {
		l.written = make(chan struct{})
		go l.write()
	}
	return len(line), nil
}

// write writes what waits, until nothing does.
func (l *logWriter) write() {
	for text := l.take(); text != nil; text = l.take() {
		_, _ = l.to.Write(text) // the log is not what the program is for: it goes on
	}
}

// take gives what waits, or nil when that is nothing.
func (l *logWriter) take() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.waiting
	l.waiting = nil
	if l.omitted > 0 {
		text = fmt.Appendf(text, "time=%s level=WARN msg=\"lines of log were left out: nobody took them\" count=%d\n",
			time.Now().Format("2006-01-02T15:04:05.000Z07:00"), l.omitted)
		l.omitted = 0
	}
	if text == nil {
		close(l.written)
		l.written = nil
	}
	return text
}

// flush waits until all is written, for so long at most.
func (l *logWriter) flush(within time.Duration) {
	l.mu.Lock()
	written := l.written
	l.mu.Unlock()
	if written == nil {
		return
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-written:
	case <-timer.C:
	}
}
