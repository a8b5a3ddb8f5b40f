package hub

import (
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

// NoticeEach sends a message to all clients that asked for notices of this kind: make returns what
// those get that hear a view, or nil. It is called once for each distinct view, without the lock. A
// client whose grants change meanwhile gets nothing, and is told of the change. NoticeEach must be
// called by [Hub.Do], so that it comes between two requests.
func (h *Hub) NoticeEach(kind Notices, make func(v *filter.View) engine.Frame) {
	frames := map[string]engine.Frame{}
	for key, v := range h.noticedViews(kind) {
		if frame := make(v); frame != nil {
			frames[key] = frame
		}
	}
	if len(frames) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for g := range h.noticed {
		if frame := frames[g.viewer.view().Key()]; frame != nil && g.notices&kind != 0 {
			g.log.Append(frame)
		}
	}
}

// noticedViews returns the distinct views of the clients that asked for a kind of notices, by their
// keys.
func (h *Hub) noticedViews(kind Notices) map[string]*filter.View {
	h.mu.Lock()
	defer h.mu.Unlock()
	views := map[string]*filter.View{}
	for g := range h.noticed {
		if g.notices&kind != 0 {
			views[g.viewer.view().Key()] = g.viewer.view()
		}
	}
	return views
}
