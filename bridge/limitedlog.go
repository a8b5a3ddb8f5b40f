package bridge

import (
	"log/slog"
	"sync"
	"time"
)

// tally counts events by reason, and logs at most one line a second for each reason, with
// the number of events and the attributes of the last.
type tally struct {
	log   *slog.Logger
	event string // the line's message

	// mu guards the following field.
	mu      sync.Mutex
	reasons map[string]*tallied
}

type tallied struct {
	count, logged int
	last          []any       // the last one's attributes
	quiet         *time.Timer // set for a second after each line
}

func newTally(log *slog.Logger, event string) *tally {
	return &tally{log: log, event: event, reasons: map[string]*tallied{}}
}

// note counts an event. The attributes are for the log.
func (t *tally) note(reason string, attributes ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.reasons[reason]
	if r == nil {
		r = new(tallied)
		t.reasons[reason] = r
	}
	r.count++
	r.last = attributes
	if r.quiet == nil {
		t.tell(reason, r)
		t.hush(reason, r)
	}
}

// hush logs nothing for a reason for a second, and then what came meanwhile. mu is held.
func (t *tally) hush(reason string, r *tallied) {
	r.quiet = time.AfterFunc(time.Second, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if r.quiet = nil; t.tell(reason, r) {
			t.hush(reason, r)
		}
	})
}

// tell logs the events that were not logged yet, if any. mu is held.
func (t *tally) tell(reason string, r *tallied) bool {
	left := r.count - r.logged
	if left == 0 {
		return false
	}
	t.log.Warn(t.event, append([]any{"reason", reason, "count", left}, r.last...)...)
	r.logged = r.count
	return true
}

// end logs what is left. Nothing is noted after it.
func (t *tally) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for reason, r := range t.reasons {
		if r.quiet != nil {
			r.quiet.Stop()
		}
		t.tell(reason, r)
	}
}

// counts returns the number of events by reason.
func (t *tally) counts() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := map[string]int{}
	for reason, r := range t.reasons {
		counts[reason] = r.count
	}
	return counts
}
