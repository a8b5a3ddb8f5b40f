package bridge

import (
	"sync"
	"time"
)

// hubFigures are the hub's figures for metrics.
type hubFigures struct {
	seq                      uint64
	kept, bytes, v1s, groups int
	actors, keywords, values int
	evicted                  uint64
}

// shownFigures are those that metrics see. They have a lock of their own: the hub's is
// held while frames are appended, which waits for the engine's loops, and /metrics
// must answer just then.
type shownFigures struct {
	mu    sync.Mutex // guards the following field, and is held for nothing else
	shown hubFigures
}

// showFigures has the metrics show what there is now. h.mu is held.
func (h *hub) showFigures() {
	f := hubFigures{seq: h.seq, kept: h.past.len(), bytes: h.past.bytes, v1s: h.v1s, groups: len(h.groups), values: h.values.Bytes()}
	f.actors, f.keywords = h.values.Len()
	actors, keywords := h.values.Evicted()
	f.evicted = actors + keywords
	h.figures.mu.Lock()
	h.figures.shown = f
	h.figures.mu.Unlock()
}

// currentFigures are those of now; while the hub's lock is held by another, those of
// the last change.
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
