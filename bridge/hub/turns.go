package hub

import (
	"maps"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

// InTurns queues a request whose answer takes several turns, and depends on the replies that the
// client may hear. begin returns a function that does one turn's work without a lock, and returns
// the answer once that is done. If the client's view changes before it is sent, begin is called
// again. Nothing begins before the past of a stream has been read.
func (h *Hub) InTurns(conn Conn, s *Session, begin func(v *filter.View) (step func() engine.Frame)) error {
	return h.submitAfterPast(s, func(answered func()) Task {
		var step func() engine.Frame
		var view *filter.View
		return func() (done bool) {
			if step == nil {
				if !h.building.admit(s) {
					return false // it tries again in the next turn
				}
				view = s.viewer.Load().view()
				step = begin(view)
			}
			frame := step()
			if frame == nil {
				return false
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			if s.viewer.Load().view().Key() != view.Key() { // it changed meanwhile
				step = nil
				return false
			}
			h.sayTo(conn, s, frame)
			delete(h.building, s)
			answered()
			return true
		}
	})
}

// maxBuilding is how many answers of several turns are made at a time: each may take megabytes until it
// is done.
const maxBuilding = 8

// builders are the clients whose answers are being made. Each has one at a time.
type builders map[*Session]struct{}

// admit reports whether a client's answer may be made now. Clients that have disconnected give way.
func (b builders) admit(s *Session) bool {
	if _, is := b[s]; is {
		return true
	}
	maps.DeleteFunc(b, func(o *Session, _ struct{}) bool { return o.closed.Load() })
	if len(b) >= maxBuilding {
		return false
	}
	b[s] = struct{}{}
	return true
}
