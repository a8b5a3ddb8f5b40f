package hub

import "sync"

// Figures are the hub's numbers for metrics.
type Figures struct {
	Seq                                             uint64
	HistoryReplies, HistoryBytes, V1Clients, Groups int
	Actors, Keywords, ValueBytes                    int
	Evicted                                         uint64
}

// figuresCopy is a copy of the figures with its own lock: the hub's lock is held while a
// reply goes to many groups, and /metrics must answer even then.
type figuresCopy struct {
	mu   sync.Mutex // guards the following field, and is held for nothing else
	last Figures
}

// updateFigures updates the copy for metrics. h.mu is held.
func (h *Hub) updateFigures() {
	f := Figures{Seq: h.seq, HistoryReplies: h.history.len(), HistoryBytes: h.history.bytes, V1Clients: h.v1Clients, Groups: len(h.groups), ValueBytes: h.values.Bytes()}
	f.Actors, f.Keywords = h.values.Len()
	actors, keywords := h.values.Evicted()
	f.Evicted = actors + keywords
	h.figures.mu.Lock()
	h.figures.last = f
	h.figures.mu.Unlock()
}

// Figures returns the current figures, or those of the last change while the hub's lock is
// taken.
func (h *Hub) Figures() Figures {
	if h.mu.TryLock() {
		h.history.expire(h.now())
		h.updateFigures()
		h.mu.Unlock()
	}
	h.figures.mu.Lock()
	defer h.figures.mu.Unlock()
	return h.figures.last
}
