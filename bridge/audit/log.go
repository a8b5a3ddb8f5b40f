package audit

import (
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Targets other than files.
const (
	Stdout = "stdout"
	Syslog = "syslog"
)

// Config configures a [Log].
type Config struct {
	// Target is the path of a file, or [Stdout] or [Syslog].
	Target string
	// Required refuses a command that cannot be recorded; see [Log.Command].
	Required bool
	// Stdout is written to for the target of that name.
	Stdout io.Writer
	// Logger gets failures to write. nil is [slog.Default].
	Logger *slog.Logger
	// Now is the clock of the rows; nil is [time.Now].
	Now func() time.Time

	maxPending int           // bytes in the queue; 0 is maxPending
	maxWait    time.Duration // of a command for its row; 0 is maxWait
}

// maxPending bounds the queue, in bytes: some 30,000 rows, so that as many clients may enter
// at once.
const maxPending = 8 << 20

// Log records events. Its methods may be called from any goroutine and do not wait; those of
// nil record nothing.
type Log struct {
	cfg      Config
	refusals refusals

	mu         sync.Mutex // guards the following fields; never held while writing
	pending    []row
	bytes      int           // in pending
	overflowed uint64        // rows that did not fit, and that the log itself does not tell yet
	next       sink          // replaces the writer's sink; nil if there is none
	written    chan struct{} // closed when everything is written; nil if no goroutine writes
	stats      Stats

	// The following fields belong to the goroutine that writes.
	sink     sink
	torn     bool   // the last row in the sink is incomplete
	untold   uint64 // lost rows that the log itself does not tell yet
	failures failureReport
}

// Stats are figures of a log.
type Stats struct {
	Written uint64 // rows
	Lost    uint64 // rows that could not be written, or did not fit into the queue
	Failing bool   // the last row could not be written
	Pending int    // bytes in the queue
}

// Open opens an audit log.
func Open(cfg Config) (*Log, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.maxPending == 0 {
		cfg.maxPending = maxPending
	}
	if cfg.maxWait == 0 {
		cfg.maxWait = maxWait
	}
	s, err := openSink(cfg)
	if err != nil {
		return nil, err
	}
	return &Log{cfg: cfg, sink: s, torn: s.torn(), failures: failureReport{log: cfg.Logger}}, nil
}

// Reopen opens the file anew, after it was rotated. What is recorded from now on goes there. If
// it cannot be opened, the old one stays in use.
func (l *Log) Reopen() error {
	if l == nil {
		return nil
	}
	s, err := openSink(l.cfg)
	if err != nil {
		return err
	}
	l.mu.Lock()
	unused := l.next
	l.next = s
	l.mu.Unlock()
	if unused != nil {
		return unused.Close()
	}
	return nil
}

// Required reports whether no command may go out unrecorded.
func (l *Log) Required() bool { return l != nil && l.cfg.Required }

// Stats returns the log's figures.
func (l *Log) Stats() Stats {
	if l == nil {
		return Stats{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Pending = l.bytes
	return s
}

// Close waits until everything is written, up to a timeout, and closes the log. Nothing may be
// recorded afterwards.
func (l *Log) Close(within time.Duration) error {
	if l == nil {
		return nil
	}
	l.refusals.end(l.moreRefused)
	if !l.flush(within) {
		return errors.New("the end of the audit log is not written")
	}
	l.mu.Lock()
	next := l.next
	l.next = nil
	l.mu.Unlock()
	if next != nil {
		next.Close()
	}
	return l.sink.Close()
}

// flush waits until everything is written, up to a timeout, and reports whether it is.
func (l *Log) flush(within time.Duration) bool {
	l.mu.Lock()
	written := l.written
	l.mu.Unlock()
	if written == nil {
		return true
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-written:
		return true
	case <-timer.C:
		return false
	}
}
