package audit

import (
	"log/slog"
	"time"
)

// reportInterval is how often rows that cannot be written are logged.
const reportInterval = time.Minute

// failureReport logs that rows are lost: at once, then at most every minute, and when they can
// be written again.
type failureReport struct {
	log     *slog.Logger
	failing bool      // the last write failed
	logged  time.Time // when a loss was last logged
	lost    uint64    // rows, since then
}

// wrote reports the end of a write.
func (f *failureReport) wrote(err error, lost uint64) {
	f.lost += lost
	switch {
	case err != nil:
		f.report("the audit log cannot be written", "error", err)
	case f.failing:
		f.log.Warn("the audit log is written again", "lost", f.lost)
		f.lost = 0
	}
	f.failing = err != nil
}

// overflowed reports rows that did not fit into the queue.
func (f *failureReport) overflowed(rows uint64) {
	if rows > 0 {
		f.lost += rows
		f.report("the audit log is written too slowly")
	}
}

func (f *failureReport) report(message string, attributes ...any) {
	if now := time.Now(); f.logged.IsZero() || now.Sub(f.logged) >= reportInterval {
		f.log.Error(message, append(attributes, "lost", f.lost)...)
		f.logged, f.lost = now, 0
	}
}
