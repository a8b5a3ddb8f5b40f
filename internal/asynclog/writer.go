package asynclog

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// maxPending bounds the unwritten log, in bytes.
const maxPending = 1 << 20

// Writer is an [io.Writer] that never blocks. Each call of Write is one line.
type Writer struct {
	to io.Writer

	// mu guards the following fields. It is never held while waiting.
	mu          sync.Mutex
	droppedLine func(count int) []byte
	pending     []byte
	dropped     int           // lines dropped since lines were last taken
	written     chan struct{} // closed when everything is written; nil if nothing is pending
}

// New returns a writer in front of another one.
func New(to io.Writer) *Writer { return &Writer{to: to, droppedLine: plainDroppedLine} }

// OnDropped sets how the line is written that says how many lines were dropped.
func (w *Writer) OnDropped(line func(count int) []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.droppedLine = line
}

func plainDroppedLine(count int) []byte {
	return fmt.Appendf(nil, "%d lines of the log were dropped because it was not read\n", count)
}

// Write buffers a line. It returns no error, which could not be logged.
func (w *Writer) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pending)+len(line) > maxPending {
		w.dropped++
		return len(line), nil
	}
	w.pending = append(w.pending, line...)
	if w.written == nil {
		w.written = make(chan struct{})
		go w.write()
	}
	return len(line), nil
}

// write writes the buffered lines until none is left.
func (w *Writer) write() {
	for text := w.take(); text != nil; text = w.take() {
		_, _ = w.to.Write(text) // the program goes on without its log
	}
}

// take returns and clears the buffered lines; nil if there are none.
func (w *Writer) take() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := w.pending
	w.pending = nil
	if w.dropped > 0 {
		text = append(text, w.droppedLine(w.dropped)...)
		w.dropped = 0
	}
	if text == nil {
		close(w.written)
		w.written = nil
	}
	return text
}

// Flush waits until everything is written, up to a timeout.
func (w *Writer) Flush(within time.Duration) {
	w.mu.Lock()
	written := w.written
	w.mu.Unlock()
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
