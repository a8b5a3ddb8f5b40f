package bridge

import (
	"testing"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// A client may be closed before its connection is open, for example because its user has too many.
func TestAClientThatIsClosedBeforeItOpensLeavesItsRoomOnce(t *testing.T) {
	s := newHarness(t, rooms.Source{Exchange: "live"})
	accept := func() *client {
		t.Helper()
		accepted, err := s.admit(upgradeRequest{target: "/live/x", path: "/live/x", remote: "10.0.0.1:1", number: s.clientCount.Add(1)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return accepted.Session.(*client)
	}
	stays, closed := accept(), accept()
	handler{s.Bridge}.Closed(engine.Conn{}, closed, 1008, "")
	if closed.roomClient().opening.Stop() {
		t.Error("its timer runs on, and would make it leave again")
	}
	if n, clients := s.rooms.Len(); n != 1 || clients != 1 {
		t.Errorf("%d clients are in %d rooms", clients, n)
	}
	handler{s.Bridge}.Closed(engine.Conn{}, stays, 1008, "")
	if n, clients := s.rooms.Len(); n != 0 || clients != 0 {
		t.Errorf("%d clients are in %d rooms", clients, n)
	}
}
