package simulation

import (
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// capacity bounds the bytes in flight to the link, as the buffers of a TCP connection do. In the other direction
// there is room for everything that a run sends: a blocked writer may hold a lock, and in a bubble time does not
// advance while another goroutine waits for that.
const (
	capacity   = 64 << 10
	upCapacity = 16 << 20
)

// half is one direction of a connection. Each chunk arrives after a delay, in order, and may be read in parts.
type half struct {
	rng      source
	latency  time.Duration
	capacity int

	readable, writable chan struct{} // capacity 1: something has changed

	mu      sync.Mutex // guards the following fields
	chunks  []chunk
	bytes   int       // in chunks
	stalled time.Time // nothing arrives before this time
	silent  bool      // written data is discarded
	cutIn   int       // bytes until the connection breaks; negative if it does not
	other   *half     // the other direction
	ended   bool      // no more writes
	end     error     // for the reader after the last chunk; nil is io.EOF
	failed  error     // for both sides, immediately
	readBy  time.Time
	writeBy time.Time
}

type chunk struct {
	data []byte
	at   time.Time
}

func newHalf(rng source, latency time.Duration, capacity int) *half {
	return &half{rng: rng, latency: latency, capacity: capacity, cutIn: -1, readable: make(chan struct{}, 1), writable: make(chan struct{}, 1)}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// await waits for a signal until a deadline; the zero time is none.
func await(c chan struct{}, until time.Time) {
	if until.IsZero() {
		<-c
		return
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-c:
	case <-timer.C:
	}
}

func (h *half) read(p []byte) (int, error) {
	for {
		n, wait, err := h.tryRead(p)
		if n > 0 || err != nil {
			return n, err
		}
		await(h.readable, wait)
	}
}

// tryRead reads what has arrived, or returns until when to wait.
func (h *half) tryRead(p []byte) (n int, wait time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	switch {
	case h.failed != nil:
		return 0, wait, h.failed
	case !h.readBy.IsZero() && !now.Before(h.readBy):
		return 0, wait, os.ErrDeadlineExceeded
	case len(h.chunks) > 0:
		first := &h.chunks[0]
		if wait = later(first.at, h.stalled); now.Before(wait) {
			break
		}
		n = copy(p, first.data)
		if n > 1 && h.rng.IntN(4) == 0 {
			n = 1 + h.rng.IntN(n-1)
		}
		if first.data = first.data[n:]; len(first.data) == 0 {
			h.chunks = h.chunks[1:]
		}
		h.bytes -= n
		signal(h.writable)
		return n, wait, nil
	case h.ended && h.end != nil:
		return 0, wait, h.end
	case h.ended:
		return 0, wait, io.EOF
	}
	if !h.readBy.IsZero() && (wait.IsZero() || h.readBy.Before(wait)) {
		wait = h.readBy
	}
	return 0, wait, nil
}

func (h *half) write(p []byte) (int, error) {
	for written := 0; ; {
		n, wait, err := h.tryWrite(p[written:])
		written += n
		if written == len(p) || err != nil {
			return written, err
		}
		if n == 0 {
			await(h.writable, wait)
		}
	}
}

func (h *half) tryWrite(p []byte) (n int, wait time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	switch {
	case h.failed != nil:
		return 0, wait, h.failed
	case h.ended:
		return 0, wait, syscall.EPIPE
	case !h.writeBy.IsZero() && !now.Before(h.writeBy):
		return 0, wait, os.ErrDeadlineExceeded
	}
	n = min(len(p), h.capacity-h.bytes)
	if n == 0 {
		return 0, h.writeBy, nil
	}
	data := append([]byte(nil), p[:n]...)
	cut := h.cutIn >= 0 && n > h.cutIn
	if cut {
		data = data[:h.cutIn]
	} else if h.cutIn >= 0 {
		h.cutIn -= n
	}
	if len(data) > 0 && !h.silent {
		at := now.Add(h.latency + time.Duration(1+h.rng.Int64N(int64(time.Millisecond))))
		if len(h.chunks) > 0 {
			at = later(at, h.chunks[len(h.chunks)-1].at.Add(1))
		}
		h.chunks = append(h.chunks, chunk{data, at})
	}
	h.bytes += len(data)
	if cut {
		h.ended, h.end = true, syscall.ECONNRESET
		err = syscall.ECONNRESET
		go h.other.finish(err)
	}
	signal(h.readable)
	return n, wait, err
}

// finish ends the stream after what was written.
func (h *half) finish(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.ended, h.end = true, err
	}
	signal(h.readable)
	signal(h.writable)
}

// fail ends the stream at once.
func (h *half) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed == nil {
		h.failed = err
	}
	h.chunks = nil
	signal(h.readable)
	signal(h.writable)
}

func (h *half) over() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.failed != nil || h.ended
}

func (h *half) isSilent() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.silent
}

// stallUntil delays everything until a time.
func (h *half) stallUntil(t time.Time) { h.do(func() { h.stalled = t }) }

// cutAfter breaks the connection after that many more bytes, perhaps within a frame.
func (h *half) cutAfter(bytes int) { h.do(func() { h.cutIn = bytes }) }

// goSilent discards everything from now on, without an error on either side.
func (h *half) goSilent() { h.do(func() { h.silent, h.chunks = true, nil }) }

func (h *half) setDeadline(which *time.Time, t time.Time) { h.do(func() { *which = t }) }

func (h *half) do(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
	signal(h.readable)
	signal(h.writable)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
