package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// maxPendingLog bounds the unwritten log, in bytes.
const maxPendingLog = 1 << 20

// logWriter buffers the log for a reader that may stop reading, for a while or for
// good: a restarting journald, a terminal halted with Ctrl-S, a pipe into a hanging
// program. Commands and loops write to the log and must not wait for it: lines beyond
// the bound are dropped, and the log says how many.
type logWriter struct {
	to io.Writer

	// mu guards the following fields. It is never held while waiting.
	mu      sync.Mutex
	pending []byte
	dropped int           // lines dropped since then
	written chan struct{} // closed when everything is written; nil if nothing waits
}

func newLogWriter(to io.Writer) *logWriter { return &logWriter{to: to} }

// Write buffers a line. It neither blocks nor returns an error, which could not be
// logged anyway.
func (l *logWriter) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending)+len(line) > maxPendingLog {
		l.dropped++
		return len(line), nil
	}
	l.pending = append(l.pending, line...)
	if l.written == nil {
		l.written = make(chan struct{})
		go l.write()
	}
	return len(line), nil
}

// write writes the buffered lines until none is left.
func (l *logWriter) write() {
	for text := l.take(); text != nil; text = l.take() {
		_, _ = l.to.Write(text) // the program goes on without its log
	}
}

// take returns and clears the buffered lines; nil if there are none.
func (l *logWriter) take() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.pending
	l.pending = nil
	if l.dropped > 0 {
		text = fmt.Appendf(text, "time=%s level=WARN msg=\"lines of log were left out: nobody took them\" count=%d\n",
			time.Now().Format("2006-01-02T15:04:05.000Z07:00"), l.dropped)
		l.dropped = 0
	}
	if text == nil {
		close(l.written)
		l.written = nil
	}
	return text
}

// flush waits until everything is written, up to a timeout.
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
