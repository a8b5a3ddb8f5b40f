package hub

import (
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// actorsRequest is a request for the actors in progress.
type actorsRequest struct {
	hub      *Hub
	conn     Conn
	session  *Session
	id       *string
	answered func()

	begun    bool
	view     *filter.View // what the client may hear
	memo     *filter.Memo
	all      snapshot.Actors
	visible  *snapshot.Visible
	progress snapshot.Restricting
}

// Actors answers with the actors that have sent replies, as far as the client may hear them.
func (h *Hub) Actors(conn Conn, s *Session, id *string) error {
	return h.submitAfterPast(s, func(answered func()) Task {
		return (&actorsRequest{hub: h, conn: conn, session: s, id: id, answered: answered}).step
	})
}

// step does one turn's work.
func (t *actorsRequest) step() (done bool) {
	h := t.hub
	if !t.begun {
		t.begin()
	}
	if t.view != nil && !t.restrict() {
		return false
	}
	buf := append(make([]byte, engine.MaxHeaderSize, 4096), `{"op": "actors", "id": `...)
	buf = append(buf, protocol.JSON(t.id)...)
	buf = append(buf, `, "actors": `...)
	frame := engine.Must(engine.NewText(append(t.all.Append(buf), '}')))
	h.mu.Lock()
	defer h.mu.Unlock()
	if t.session.viewer.Load().view().Key() != t.view.Key() { // it changed meanwhile
		t.begun = false
		return false
	}
	h.sayTo(t.conn, t.session, frame)
	t.answered()
	return true
}

func (t *actorsRequest) begin() {
	h := t.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	t.begun, t.view, t.all, t.progress = true, t.session.viewer.Load().view(), h.values.Actors(), snapshot.Restricting{}
	if t.view == nil {
		return
	}
	memo := filter.NewMemo(memoTexts)
	seen := memo.AddView(t.view)
	t.memo, t.visible = memo, visibleTo(t.view, func() (*filter.Memo, *filter.MemoView) { return memo, seen })
}

// restrict does one turn of removing what the client may not know of.
func (t *actorsRequest) restrict() (done bool) {
	begun := t.memo.Work()
	return t.all.Restrict(t.visible, &t.progress, func() bool { return t.memo.Work()-begun > turnWork })
}
