package hub

import (
	"testing"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

func TestANoticeIsMadeOnceForEachViewAndMayBeNone(t *testing.T) {
	s := newHarness(t)
	dome := func() *Viewer { return &Viewer{View: viewOf(t, `{"sender": "dome"}`, `{"sender": "nobody"}`)} }
	mount := &Viewer{View: viewOf(t, `{"sender": "mount"}`, `{"sender": "nobody"}`)}
	clients := map[string]*recordingClient{
		"a": s.connectAs(dome()), "b": s.connectAs(dome()), "mount": s.connectAs(mount), "all": s.connect(), "other": s.connectAs(dome()),
	}
	for name, c := range clients {
		if name != "all" {
			s.await(c, "hello")
		}
		kind := "problems"
		if name == "other" {
			kind = "site"
		}
		s.ask(c, "ok", `{"op": "subscribe", "notices": ["`+kind+`"]}`)
	}
	made := make(chan int, 1)
	s.hub.Do(func() {
		n := 0
		s.hub.NoticeEach(protocol.NoticeProblems, func(v *filter.View) engine.Frame {
			n++
			if v != nil && !v.MayHear("dome") {
				return nil
			}
			text := "everything"
			if v != nil {
				text = "of the dome"
			}
			return protocol.Encode(map[string]string{"op": "notice", "text": text})
		})
		made <- n
	})
	if n := <-made; n != 3 {
		t.Errorf("%d frames were made", n)
	}
	s.told(clients["a"], "of the dome")
	s.told(clients["b"], "of the dome")
	s.told(clients["all"], "everything")
	s.told(clients["mount"])
	s.told(clients["other"])
}
