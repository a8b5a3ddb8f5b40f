package access

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// holdOff is the time until which the application wants not to be asked.
type holdOff struct {
	mu sync.Mutex // guards the following field
	at time.Time
}

func (h *holdOff) until(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(0, h.at.Sub(now))
}

func (h *holdOff) extend(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at.After(h.at) {
		h.at = at
	}
}

const (
	failuresToDown = 3           // in a row
	probeEvery     = time.Second // how often an application that is down is asked
)

// callbackHealth is whether the application answers. While it does not, it is asked once a second,
// and all else is unknown at once: otherwise each client would wait for a timeout in turn, and who
// is in would not hear in time that it stays.
type callbackHealth struct {
	unknown atomic.Int64 // requests without a usable answer

	mu     sync.Mutex // guards the following fields
	failed int        // since the last answer
	probe  time.Time  // when it may be asked again, if it is down
}

// mayAsk reports whether the application may be asked.
func (h *callbackHealth) mayAsk(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed < failuresToDown {
		return true
	}
	if now.Before(h.probe) {
		return false
	}
	h.probe = now.Add(probeEvery)
	return true
}

// note notes how a request ended, and logs when that changes.
func (h *callbackHealth) note(c *callback, err error) {
	if _, down := errors.AsType[downError](err); err != nil && !down {
		h.noteUnusable(c, err)
		return
	}
	h.mu.Lock()
	before := h.failed
	if h.failed++; err == nil {
		h.failed = 0
	} else if h.failed == failuresToDown {
		h.probe = c.now().Add(probeEvery)
	}
	h.mu.Unlock()
	switch {
	case err == nil && before > 0:
		c.log.Info("the callback answers again", "url", shownURL(c.url), "failures", before)
	case err != nil && before == 0:
		c.log.Warn("the callback does not answer; new clients get 503 until it does", "url", shownURL(c.url), "error", err)
	}
	if err != nil {
		h.unknown.Add(1)
	}
}

// noteUnusable notes an answer that cannot be used.
func (h *callbackHealth) noteUnusable(c *callback, err error) {
	if n := h.unknown.Add(1); n&(n-1) == 0 { // the first, second, fourth ...
		c.log.Warn("an answer of the callback cannot be used", "url", shownURL(c.url), "error", err, "unusable", n)
	}
}
