package access

import (
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

// callbackHealth is whether the application answers. It says so in the log when that changes.
type callbackHealth struct {
	unknown atomic.Int64 // requests without a usable answer
	down    atomic.Bool
}

func (h *callbackHealth) note(c *callback, err error) {
	if err != nil {
		h.unknown.Add(1)
		if !h.down.Swap(true) {
			c.log.Warn("the callback does not say who may enter; newcomers are told to come again", "url", shownURL(c.url), "error", err)
		}
		return
	}
	if h.down.Swap(false) {
		c.log.Info("the callback answers again", "url", shownURL(c.url))
	}
}
