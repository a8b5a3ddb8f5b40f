package hub

import (
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// setViewer changes what a client may hear, and waits for it.
func (s *hubHarness) setViewer(l *recordingClient, v *Viewer) {
	s.t.Helper()
	s.hub.SetViewer(l.session, v, protocol.Encode(protocol.OK{Op: "changed"}))
	s.await(l, "changed")
}

func TestAnOrderedSubscriptionGoesOnWhereItWasUnlessOthersHaveIt(t *testing.T) {
	for name, c := range map[string]struct {
		others bool
		want   []uint64
	}{
		"alone":                {false, []uint64{2, 4}},
		"with those of others": {true, []uint64{2, 3, 4}},
	} {
		s := newHarness(t)
		codes := func(text string) *Viewer { return &Viewer{View: viewOf(t, `{"message_code": `+text+`}`, "")} }
		const ordered = `{"op": "subscribe", "id": "a", "ordered": true, "filter": {"sender": ["a"]}}`
		mover, other := s.enter("/?silent=1", codes(`["i", "w"]`)), s.enter("/?silent=1", codes(`["i", "e"]`))
		s.ask(mover, "ok", ordered)
		if c.others {
			s.ask(other, "ok", ordered)
		}
		says := func(code string, order int64) { s.says(filter.Reply{Sender: "a", Code: code}, order) }
		says("e", 3)
		says("w", 5) // the mover's alone
		s.setViewer(mover, codes(`["i", "e"]`))
		says("i", 4) // older than what the mover has, but not than what the others have
		says("i", 6)
		t.Log(name)
		s.hears(mover, c.want...)
		if c.others {
			s.hears(other, 1, 3, 4)
		}
	}
}
