package hub

import (
	"testing"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

func TestARequestInTurnsBeginsAnewWhenGrantsChangeMeanwhile(t *testing.T) {
	s := newHarness(t)
	l := s.enter("/?silent=1", nil)
	var views []string
	err := s.hub.InTurns(l, l.session, func(v *filter.View) func() engine.Frame {
		views = append(views, v.Key())
		turns := 0
		return func() engine.Frame {
			if turns++; turns < 3 {
				return nil
			}
			if len(views) == 1 {
				s.changeNow(l, &Viewer{View: viewOf(t, `{"sender": "b"}`, "")})
			}
			return protocol.Encode(protocol.OK{Op: "ok"})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s.await(l, "ok")
	if len(views) != 2 || views[0] != "" || views[1] == "" {
		t.Errorf("it began with the views %q", views)
	}
	s.hub.mu.Lock() // held until it counts as answered
	defer s.hub.mu.Unlock()
	if n := l.session.pendingRequests.Load(); n != 0 {
		t.Errorf("%d requests are unanswered", n)
	}
}

// However many clients ask at once, a few answers are made at a time; those of clients that are gone do
// not count.
func TestFewAnswersOfSeveralTurnsAreMadeAtATime(t *testing.T) {
	b, sessions := builders{}, make([]Session, 3*maxBuilding)
	admitted := func() (n int) {
		for i := range sessions {
			if b.admit(&sessions[i]) {
				n++
			}
		}
		return n
	}
	if n := admitted(); n != maxBuilding || !b.admit(&sessions[0]) {
		t.Errorf("%d are admitted", n)
	}
	for i := range maxBuilding {
		sessions[i].closed.Store(true)
	}
	if b.admit(&sessions[maxBuilding]); len(b) != 1 {
		t.Errorf("%d have a place once the first ones are gone", len(b))
	}
}
