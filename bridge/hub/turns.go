package hub

import (
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
			answered()
			return true
		}
	})
}
