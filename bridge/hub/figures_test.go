package hub

import (
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

func TestFiguresAreWhatTheHubHolds(t *testing.T) {
	s := newHarness(t)
	s.connect()
	s.ask(s.connect(), "ok", `{"op": "subscribe", "id": "a", "filter": {"sender": "a"}}`)
	long := strings.Repeat("x", 64<<10+1) // neither an actor nor a keyword of such a name is kept
	s.saysBody(filter.Reply{Sender: "a", Code: "i"}, `{"ra": 1, "dec": 2, "a`+long+`": 1, "b`+long+`": 2, "c`+long+`": 3}`)
	s.saysBody(filter.Reply{Sender: long, Code: "i"}, `{"ra": 1}`)
	got := s.hub.Figures()
	want := Figures{
		Seq: 2, HistoryReplies: 2, HistoryBytes: s.hub.history.bytes, V1Clients: 2, Groups: 2,
		Actors: 1, Keywords: 2, ValueBytes: s.hub.values.Bytes(), Evicted: 4,
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// The room that is left for number, epoch and time suffices.
func TestEncodingAReplyAllocatesItsFrameAlone(t *testing.T) {
	plain := append(make([]byte, engine.MaxHeaderSize), `{"body": {}}`...)
	r := &Reply{Seq: 1<<64 - 1, heard: time.UnixMicro(1<<63 - 1), Plain: plain, BodyAt: engine.MaxHeaderSize + len(`{"body": `)}
	epoch := strings.Repeat("x", 100)
	if n := testing.AllocsPerRun(100, func() { r.encode(epoch) }); n != 1 {
		t.Errorf("it allocates %v times", n)
	}
	if want := `{"body": {}, "seq": 18446744073709551615, "epoch": "` + epoch + `", "heard": 9223372036854775807}`; string(r.Frame.Payload()) != want {
		t.Errorf("got  %s\nwant %s", r.Frame.Payload(), want)
	}
}
