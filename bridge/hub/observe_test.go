package hub

import (
	"fmt"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

func TestEveryReplyIsObservedOnceInOrderWithItsKeywords(t *testing.T) {
	s := newHarness(t)
	var seen []string
	s.hub.observer = newObserver(func(o *Observed) {
		text := fmt.Sprintln(o.Seq, o.Sender, o.Code, o.Past, o.Unroutable, o.Aside, o.MessageID, o.Heard.Unix())
		for name, value := range o.Keywords {
			text += fmt.Sprintf(" %s=%s", name, value)
		}
		seen = append(seen, text)
	})
	s.hub.loading = true
	reply := func(r Reply, body string, seq uint64) {
		r.Plain, r.BodyAt = append(make([]byte, engine.MaxHeaderSize), `{"body": `+body+`}`...), engine.MaxHeaderSize+len(`{"body": `)
		s.hub.Reply(&r, seq, true)
	}
	s.pass(time.Minute)
	reply(Reply{Reply: filter.Reply{Sender: "dome", Code: "i"}, MessageID: "m1", Sent: time.Unix(9, 0)}, `{"a": 1, "b\u0061": [2]}`, 5)
	s.hub.Live()
	reply(Reply{Reply: filter.Reply{Sender: "dome", Code: "f"}, MessageID: "m2", Unroutable: true}, `{}`, 6)
	reply(Reply{Reply: filter.Reply{Sender: "dome", Code: ":"}, Aside: true}, `[]`, 9)
	want := []string{
		"5 dome i true false false m1 9\n a=1 ba=[2]",
		"6 dome f false true false m2 60\n",
		"9 dome : false false true  60\n",
	}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("observed %q\nwant %q", seen, want)
	}
}

// What an observer makes known about a reply comes after it.
func TestAReplyIsObservedOnceItWasDelivered(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	var got []uint64
	s.hub.observer = newObserver(func(o *Observed) { got = c.replies() })
	s.from("dome", 0)
	if fmt.Sprint(got) != "[1]" {
		t.Errorf("when it was observed, the client had %v", got)
	}
}

func TestObservingAReplyAllocatesNothing(t *testing.T) {
	s := newHarness(t)
	n := 0
	count := func(name, value []byte) bool { n++; return true }
	s.hub.observer = newObserver(func(o *Observed) { o.Keywords(count) })
	d := &delivery{Reply: benchReply()}
	s.hub.observe(d)
	if allocs := testing.AllocsPerRun(100, func() { s.hub.observe(d) }); allocs != 0 {
		t.Errorf("it allocates %v times", allocs)
	}
}

func TestAReplyAsideIsDeliveredAndResumedButInNoSnapshot(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	envelope := append(make([]byte, engine.MaxHeaderSize), `{"body": {"help": []}}`...)
	r := &Reply{Reply: filter.Reply{Sender: "dome", Code: ":"}, Plain: envelope, BodyAt: engine.MaxHeaderSize + len(`{"body": `), Aside: true}
	s.hub.Reply(r, 0, false)
	s.hears(c, 1)
	s.tell(c, `{"op": "actors"}`)
	if m := s.await(c, "actors"); len(m["actors"].([]any)) != 0 {
		t.Errorf("the actors are %v", m)
	}
	again := s.dialAt("/?since=epoch:0")
	s.await(again, "hello")
	s.await(again, "ok")
	s.hears(again, 1)
}

func TestABroadcastAnswersNobodysCommand(t *testing.T) {
	for _, c := range []struct {
		reply filter.Reply
		want  bool
	}{
		{filter.Reply{RoutingKey: "reply.broadcast"}, true},
		{filter.Reply{RoutingKey: "reply.bridge.dome", CommandID: "x", Commander: "bridge.dome"}, false},
		{filter.Reply{RoutingKey: "reply.broadcast", CommandID: "x", Commander: "bridge.dome"}, true}, // for everybody
		{filter.Reply{RoutingKey: "reply..dome", CommandID: "x", Commander: ".dome"}, true},           // a timed command of CLU
		{filter.Reply{CommandID: "x"}, true},
		{filter.Reply{Commander: "bridge.dome"}, true},
	} {
		if got := IsBroadcast(&c.reply); got != c.want {
			t.Errorf("%+v: %v", c.reply, got)
		}
	}
}
