package wsclient

import "testing"

func TestAValueFromBeforeAGapOfTheBridgeIsOutdated(t *testing.T) {
	s, err := parseSnapshot([]byte(`{"op": "snapshot", "epoch": "e", "seq": 9, "gap_after": 7, "actors": {"dome": {"keywords": {
		"before": {"value": 1, "seq": 7}, "after": {"value": 1, "seq": 8}}}}}`), true)
	if err != nil {
		t.Fatal(err)
	}
	if k := s.Actors["dome"].Keywords; !k["before"].Outdated || k["after"].Outdated {
		t.Errorf("got %+v", k)
	}
}

func TestAWaitTakesNoValueFromBeforeWhileTheBridgeHearsNoActors(t *testing.T) {
	s := newServer(t, true, func(_ int, p *peer) {
		p.send(`%s`, helloText)
		p.send(`{"op": "broker", "state": "down"}`)
		m := p.receive("subscribe")
		p.send(`{"op": "ok", "id": %q}`, m["id"])
		p.send(`{"op": "snapshot", "id": %q, "epoch": "e", "seq": 41, "actors": {"dome": {"keywords": {"open": {"value": false, "seq": 41}}}}}`, m["id"])
		p.send(`{"op": "broker", "state": "up"}`)
		p.send(`{"headers": {"sender": "dome", "message_code": "i"}, "body": {"open": false}, "epoch": "e", "seq": 42}`)
		p.idle()
	})
	v, err := s.dial(t, nil).WaitFor(within(t), "dome", "open", func(v Value) bool { return v.String() == "false" })
	if err != nil || v.Seq != 42 {
		t.Errorf("got %+v, %v", v, err)
	}
}
