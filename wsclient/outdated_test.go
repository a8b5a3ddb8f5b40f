package wsclient

import "testing"

func TestAValueFromBeforeAGapOfTheBridgeIsOutdated(t *testing.T) {
	s, err := parseSnapshot([]byte(`{"op": "snapshot", "epoch": "e", "seq": 9, "gap_after": 7, "actors": {"dome": {"keywords": {
		"before": {"value": 1, "seq": 7}, "after": {"value": 1, "seq": 8}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if k := s.Actors["dome"].Keywords; !k["before"].Outdated || k["after"].Outdated {
		t.Errorf("got %+v", k)
	}
}
