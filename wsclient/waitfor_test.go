package wsclient

import "testing"

func TestWaitForTakesNoValueOfASilentActor(t *testing.T) {
	for name, rest := range map[string]string{
		"it broadcasts each second":    `"interval_ms": 1000, "consumer": true`,
		"it takes no commands anymore": `"interval_ms": null, "consumer": false`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, true, func(_ int, p *peer) {
				p.send(helloText)
				m := p.receive("subscribe")
				p.send(`{"op": "ok", "id": %q}`, m["id"])
				p.send(`{"op": "snapshot", "id": %q, "epoch": "e", "seq": 41, "actors": {"dome": {"time": "2026-11-21T03:28:40+00:00", %s,
					"keywords": {"shutter": {"value": "open", "time": "2026-11-21T03:28:40+00:00", "seq": 7}}}}}`, m["id"], rest)
				p.send(`{"headers": {"message_code": "i", "sender": "dome"}, "body": {"shutter": "open"}, "seq": 42, "epoch": "e"}`)
				p.idle()
			})
			v, err := s.dial(t, nil).WaitFor(within(t), "dome", "shutter", func(v Value) bool { return v.String() == "open" })
			if err != nil || v.Seq != 42 {
				t.Errorf("got %+v, %v; want the value of the reply", v, err)
			}
		})
	}
}
