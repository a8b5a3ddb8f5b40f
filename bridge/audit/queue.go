package audit

import (
	"sync/atomic"
	"time"
)

// row is a line that is to be written.
type row struct {
	text []byte
	wait *waiter // nil without a waiter
}

// waiter is a command that waits for its row.
type waiter struct {
	then  func(error)
	timer *time.Timer
	ended atomic.Bool // then was called, or is about to be
}

// end calls the function, unless that was done.
func (w *waiter) end(err error) {
	if w != nil && w.ended.CompareAndSwap(false, true) {
		w.timer.Stop()
		w.then(err)
	}
}

// timeout calls the function of a row that was not written in time.
func (w *waiter) timeout() {
	if w.ended.CompareAndSwap(false, true) {
		w.then(errSlow)
	}
}

// gone reports whether the command is no longer sent, so that its row need not be written.
func (w *waiter) gone() bool { return w != nil && w.ended.Load() }

// maxWait is how long a command may wait for its row. A command that is older than 0.9 s is
// not sent anyway.
const maxWait = 800 * time.Millisecond

// refusal is why a command is not sent, as a sentence for the client.
type refusal string

func (r refusal) Error() string { return string(r) }

const unrecorded = "The command was not sent: this bridge records each command, and the record cannot be written; tell its operator"

const (
	errUnwritten refusal = unrecorded + "."
	errFull      refusal = unrecorded + " (too much is waiting to be written)."
	errSlow      refusal = unrecorded + " (it took too long)."
)

// record queues a row. If the queue is full, the row is lost.
func (l *Log) record(event string, e any) {
	if l == nil {
		return
	}
	l.push(row{text: encode(l.cfg.Now(), event, e)})
}

// require queues the row of a command that waits for it.
func (l *Log) require(event string, e any, then func(error)) {
	w := &waiter{then: then}
	w.timer = time.AfterFunc(l.cfg.maxWait, w.timeout)
	if !l.push(row{encode(l.cfg.Now(), event, e), w}) {
		w.end(errFull)
	}
}

// push adds a row to the queue, and has it written. It returns false if the queue is full.
func (l *Log) push(r row) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	room := l.cfg.maxPending
	if l.cfg.Required && r.wait == nil {
		room -= room / 4 // for commands, which would be refused
	}
	if l.bytes+len(r.text) > room {
		l.stats.Lost++
		l.overflowed++
		return false
	}
	l.pending = append(l.pending, r)
	l.bytes += len(r.text)
	if l.written == nil {
		l.written = make(chan struct{})
		go l.write()
	}
	return true
}
