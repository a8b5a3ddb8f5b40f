package limitedlog

import (
	"log/slog"
	"sync"
	"time"
)

// Log counts events by reason, and logs at most one line a second for each reason, with
// the number of events and the attributes of the last.
type Log struct {
	log   *slog.Logger
	event string // the line's message

	// mu guards the following field.
	mu      sync.Mutex
	reasons map[string]*entry
}

type entry struct {
	count, logged int
	last          []any       // attributes of the last event
	timer         *time.Timer // set for a second after each line
}

// New returns a log of events, each a line with this message.
func New(log *slog.Logger, event string) *Log {
	return &Log{log: log, event: event, reasons: map[string]*entry{}}
}

// Note counts an event, with attributes for the log.
func (t *Log) Note(reason string, attributes ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.reasons[reason]
	if r == nil {
		r = new(entry)
		t.reasons[reason] = r
	}
	r.count++
	r.last = attributes
	if r.timer == nil {
		t.flush(reason, r)
		t.scheduleFlush(reason, r)
	}
}

// scheduleFlush holds back a reason's lines for a second, and then logs the events of that
// second. mu is held.
func (t *Log) scheduleFlush(reason string, r *entry) {
	r.timer = time.AfterFunc(time.Second, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if r.timer = nil; t.flush(reason, r) {
			t.scheduleFlush(reason, r)
		}
	})
}

// flush logs the events that were not logged yet, if any. mu is held.
func (t *Log) flush(reason string, r *entry) bool {
	left := r.count - r.logged
	if left == 0 {
		return false
	}
	t.log.Warn(t.event, append([]any{"reason", reason, "count", left}, r.last...)...)
	r.logged = r.count
	return true
}

// End logs the remaining events. Note must not be called after it.
func (t *Log) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for reason, r := range t.reasons {
		if r.timer != nil {
			r.timer.Stop()
		}
		t.flush(reason, r)
	}
}

// Counts returns the number of events by reason.
func (t *Log) Counts() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := map[string]int{}
	for reason, r := range t.reasons {
		counts[reason] = r.count
	}
	return counts
}
