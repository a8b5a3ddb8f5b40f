package hub

import (
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
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
