package bridge

import (
	"sync"
	"time"
)

// hubFigures are the hub's values for metrics.
type hubFigures struct {
	seq                      uint64
	kept, bytes, v1s, groups int
	actors, keywords, values int
	evicted                  uint64
}

// shownFigures are a copy for metrics, with a lock of their own: the hub's lock is held
// while a reply goes to every group, and /metrics must answer even then.
type shownFigures struct {
	mu    sync.Mutex // guards the following field, and is held for nothing else
	shown hubFigures
}

// showFigures updates the copy for metrics. h.mu is held.
func (h *hub) showFigures() {
	f := hubFigures{seq: h.seq, kept: h.past.len(), bytes: h.past.bytes, v1s: h.v1s, groups: len(h.groups), values: h.values.Bytes()}
	f.actors, f.keywords = h.values.Len()
	actors, keywords := h.values.Evicted()
	f.evicted = actors + keywords
	h.figures.mu.Lock()
	h.figures.shown = f
	h.figures.mu.Unlock()
}

// currentFigures returns the current values, or, while the hub's lock is taken, those
// of the last change.
func (h *hub) currentFigures() hubFigures {
	if h.mu.TryLock() {
		h.past.expire(time.Now())
		h.showFigures()
		h.mu.Unlock()
	}
	h.figures.mu.Lock()
	defer h.figures.mu.Unlock()
	return h.figures.shown
}
