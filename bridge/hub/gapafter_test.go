package hub

import (
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestASnapshotSaysWhichValuesMayBeOutdated(t *testing.T) {
	s := newHarness(t)
	s.saysBody(filter.Reply{Sender: "dome", Code: "i"}, `{"open": true}`)
	c := s.connect()
	s.tell(c, `{"op": "snapshot"}`)
	if snapshot := s.await(c, "snapshot"); snapshot["gap_after"] != nil {
		t.Errorf("without a gap it is %v", snapshot)
	}
	s.hub.Missed(time.Time{}, s.clock.Now())
	s.saysBody(filter.Reply{Sender: "dome", Code: "i"}, `{"lamp": true}`)
	for _, request := range []string{`{"op": "snapshot"}`, `{"op": "subscribe", "snapshot": true}`} {
		late := s.connect() // it gets no message of the gap
		s.tell(late, request)
		if request != `{"op": "snapshot"}` {
			s.await(late, "ok")
		}
		snapshot := s.await(late, "snapshot")
		keywords := snapshot["actors"].(map[string]any)["dome"].(map[string]any)["keywords"].(map[string]any)
		seq := func(name string) float64 { return keywords[name].(map[string]any)["seq"].(float64) }
		if after, _ := snapshot["gap_after"].(float64); seq("open") > after || seq("lamp") <= after || after == 0 {
			t.Errorf("%s: it is %v", request, snapshot)
		}
	}
}

// A client that comes while the past of a stream is read is told of a gap there at its place, when it resumes, and not before:
// it may have been told of it by the bridge before.
func TestAGapInThePastIsToldAtItsPlaceOnly(t *testing.T) {
	s := newHarness(t)
	s.loading()
	before, after := s.connect(), s.connect()
	s.from("a", 0)
	s.hub.Missed(time.Time{}, s.clock.Now())
	s.from("a", 0)
	s.hub.Live()
	for c, missed := range map[*recordingClient]bool{before: true, after: false} {
		since := 2
		if missed {
			since = 1
		}
		s.since(c, since, `"id": "r"`)
		gaps := 0
		for answered := false; !answered; {
			m := testkit.Receive(t, c.answers)
			gaps += map[any]int{"gap": 1}[m["op"]]
			if m["op"] == "ok" { // the missed replies and gaps come before the answer to what follows
				s.tell(c, `{"op": "ping"}`)
			}
			answered = m["op"] == "pong"
		}
		if missed != (gaps == 1) || gaps > 1 {
			t.Errorf("a client that resumes after reply %d is told of %d gaps", since, gaps)
		}
	}
}
