package broker

import (
	"net"
	"sync"
	"time"
)

// keepBuffer is the largest outbound buffer kept for reuse between bursts.
const keepBuffer = 256 << 10

// outbound gathers the frames for one connection and writes them on a separate goroutine. During a
// write, further frames collect and leave together with the next one: under load the batches grow
// by themselves, and a single frame leaves at once.
type outbound struct {
	nc      net.Conn
	pauseAt int // deliveries pause from here on, and resume at half of it
	stallAt int // the connection's reader waits from here on

	wake chan struct{} // capacity 1: there is something to do
	room chan struct{} // capacity 1: there may be room again
	done chan struct{} // closed when the writer has ended

	mu        sync.Mutex    // guards the following
	buf       []byte        // frames not yet taken by the writer
	writing   int           // bytes that the writer has taken and not written yet
	paused    bool          // a delivery is waiting for room
	last      bool          // the writer ends once buf is empty
	dead      bool          // the writer has ended, and nothing is kept
	heartbeat time.Duration // 0: none
	timeout   time.Duration // for one write
}

func newOutbound(nc net.Conn, pauseAt int, timeout time.Duration) *outbound {
	return &outbound{
		nc:      nc,
		timeout: timeout,
		pauseAt: pauseAt,
		stallAt: 4 * pauseAt,
		wake:    make(chan struct{}, 1),
		room:    make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
}

// begin locks the buffer and returns it for appending; commit stores the result and unlocks it.
func (o *outbound) begin() []byte {
	o.mu.Lock()
	return o.buf
}

func (o *outbound) commit(buf []byte) {
	if o.dead {
		buf = nil
	}
	wasEmpty := len(o.buf) == 0
	o.buf = buf
	o.mu.Unlock()
	if wasEmpty {
		signal(o.wake)
	}
}

// full reports whether deliveries must pause, and records that one did.
func (o *outbound) full() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.dead && len(o.buf)+o.writing < o.pauseAt {
		return false
	}
	o.paused = true
	return true
}

// waitRoom blocks the connection's reader while the peer does not read its answers, so that a peer that does
// not read cannot make the broker buffer without bound.
func (o *outbound) waitRoom() {
	for {
		o.mu.Lock()
		ok := o.dead || len(o.buf)+o.writing < o.stallAt
		o.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-o.room:
		case <-o.done:
		}
	}
}

// hurry limits every write to d from now on, including the one in progress.
func (o *outbound) hurry(d time.Duration) {
	o.mu.Lock()
	o.timeout = d
	_ = o.nc.SetWriteDeadline(time.Now().Add(d))
	o.mu.Unlock()
}

// finish lets the writer end once everything is written.
func (o *outbound) finish() {
	o.hurry(shutdownGrace)
	o.mu.Lock()
	o.last = true
	o.mu.Unlock()
	signal(o.wake)
}

// setHeartbeat makes the writer send a heartbeat whenever it has been idle for half of d.
func (o *outbound) setHeartbeat(d time.Duration) {
	o.mu.Lock()
	o.heartbeat = d
	o.mu.Unlock()
	signal(o.wake)
}

// run writes until finish or a failed write. resume is called, without a lock, when paused deliveries may
// continue.
func (o *outbound) run(resume func()) {
	defer close(o.done)
	defer o.kill()
	idle := time.NewTimer(time.Hour)
	defer idle.Stop()
	var spare []byte
	for {
		buf, last, heartbeat := o.take(spare)
		if len(buf) > 0 {
			if _, err := o.nc.Write(buf); err != nil {
				_ = o.nc.Close() // the reader then fails and cleans up
				return
			}
			spare = buf
			if o.written() {
				resume()
			}
			continue
		}
		if last {
			return
		}
		if heartbeat > 0 {
			idle.Reset(heartbeat / 2)
		}
		select {
		case <-o.wake:
		case <-idle.C:
			o.beat()
		}
	}
}

// take swaps the pending frames for an empty buffer.
func (o *outbound) take(spare []byte) (buf []byte, last bool, heartbeat time.Duration) {
	if cap(spare) > keepBuffer {
		spare = nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.buf) > 0 {
		buf, o.buf = o.buf, spare[:0]
		o.writing = len(buf)
		_ = o.nc.SetWriteDeadline(time.Now().Add(o.timeout))
	}
	return buf, o.last, o.heartbeat
}

// written records the end of a write and reports whether deliveries may resume.
func (o *outbound) written() (resume bool) {
	o.mu.Lock()
	o.writing = 0
	resume = o.paused && len(o.buf) <= o.pauseAt/2
	if resume {
		o.paused = false
	}
	o.mu.Unlock()
	signal(o.room)
	return resume
}

func (o *outbound) beat() {
	o.mu.Lock()
	if o.heartbeat > 0 {
		o.buf = append(o.buf, frameHeartbeat, 0, 0, 0, 0, 0, 0, frameEnd)
	}
	o.mu.Unlock()
}

func (o *outbound) kill() {
	o.mu.Lock()
	o.dead, o.buf, o.writing = true, nil, 0
	o.mu.Unlock()
}

// signal puts a token into a channel of capacity 1, unless it holds one.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
