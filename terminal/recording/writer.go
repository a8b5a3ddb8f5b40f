package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"
)

// syncAfter is how long a line may take until it is on the disk.
const syncAfter = time.Second

// Writer writes a recording. Its methods may be called at once.
type Writer struct {
	sync   func() error // of the file
	failed func(error)
	timer  *time.Timer

	mu     sync.Mutex // guards the following fields
	w      *bufio.Writer
	armed  bool // the timer runs
	closed bool
	lines  int
	err    error
}

// NewWriter begins a recording. toDisk, if not nil, writes what the system holds of the file to the disk. failed is
// called at most once, with the first error that no method could return, such as of a full disk.
func NewWriter(w io.Writer, toDisk func() error, failed func(error), h Header) (*Writer, error) {
	if toDisk == nil {
		toDisk = func() error { return nil }
	}
	h.Version = Version
	first, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	r := &Writer{sync: toDisk, failed: failed, w: bufio.NewWriterSize(w, 256<<10)}
	r.timer = time.AfterFunc(time.Hour, r.flushLate)
	r.timer.Stop()
	return r, r.line(first)
}

// Reply writes an envelope as it came. If it does not say when it was heard, it gets the time.
func (r *Writer) Reply(envelope []byte, heard time.Time, hasHeard bool) error {
	envelope = bytes.TrimSpace(envelope)
	if bytes.IndexByte(envelope, '\n') >= 0 {
		var compact bytes.Buffer
		if err := json.Compact(&compact, envelope); err != nil {
			return err
		}
		envelope = compact.Bytes()
	}
	if hasHeard {
		return r.line(envelope)
	}
	open, ok := bytes.CutSuffix(envelope, []byte("}"))
	if !ok {
		return errors.New("an envelope is no object")
	}
	micros, _ := json.Marshal(heard.UnixMicro()) // a number has no error
	return r.line(bytes.Join([][]byte{open, []byte(`, "heard": `), micros, []byte("}")}, nil))
}

// Note writes what is no envelope.
func (r *Writer) Note(n Note) error {
	line, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return r.line(line)
}

func (r *Writer) line(line []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		_, r.err = r.w.Write(line)
	}
	if r.err == nil {
		r.err = r.w.WriteByte('\n')
	}
	if r.err != nil {
		return r.err
	}
	r.lines++
	if !r.armed {
		r.armed = true
		r.timer.Reset(syncAfter)
	}
	return nil
}

// flushLate writes what is pending. The disk is waited for without the lock: lines go on coming.
func (r *Writer) flushLate() {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	known := r.err != nil // a method has returned it
	r.armed = false
	r.flush()
	err := r.err
	r.mu.Unlock()
	if err == nil {
		if err = r.sync(); err != nil {
			r.mu.Lock()
			r.err = err
			r.mu.Unlock()
		}
	}
	if err != nil && !known {
		r.failed(err)
	}
}

func (r *Writer) flush() {
	if r.err == nil {
		r.err = r.w.Flush()
	}
}

// Lines returns how many lines were written, with the first one.
func (r *Writer) Lines() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines
}

// Close writes what is pending to the disk. It does not close the file.
func (r *Writer) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.timer.Stop()
	r.flush()
	if r.err == nil {
		r.err = r.sync()
	}
	return r.err
}
