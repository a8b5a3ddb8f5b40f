package hub

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

// logPage is an answer to a request for the log: the entries as texts, numbers for replies and the
// beginning of their span for gaps.
type logPage struct {
	entries []string
	oldest  any
	next    any
	more    bool
}

// pageOf asks for a page of the log.
func (s *hubHarness) pageOf(c *recordingClient, fields string) logPage {
	s.t.Helper()
	s.tell(c, `{"op": "log"`+fields+`}`)
	m := s.await(c, "log")
	p := logPage{oldest: m["oldest"], next: m["next"], more: m["more"].(bool), entries: []string{}}
	for _, e := range m["entries"].([]any) {
		e := e.(map[string]any)
		if e["op"] == "gap" {
			p.entries = append(p.entries, fmt.Sprint("gap ", e["to"]))
			continue
		}
		if e["epoch"] != s.hub.Epoch || e["heard"] == nil {
			s.t.Errorf("an entry is %v", e)
		}
		p.entries = append(p.entries, fmt.Sprint(e["seq"]))
	}
	return p
}

// kept returns the entries of the history that a filter and a viewer select.
func (s *hubHarness) kept(f *filter.Filter, v *Viewer) (all []string) {
	h := &s.hub.history
	for at := h.tail; at < h.head; at++ {
		switch e := h.at(at); {
		case e.isGap():
			_, to, _ := strings.Cut(string(e.frame.Payload()), `"to":"`)
			all = append(all, "gap "+to[:strings.IndexByte(to, '"')])
		default:
			var dup filter.Reply
			e.reply.withKeywords(&dup)
			if f.Match(&dup) && v.view().Match(&dup) {
				all = append(all, fmt.Sprint(e.seq))
			}
		}
	}
	return all
}

// aHistory fills the history with replies of several actors, holes as a stream has, and gaps.
func (s *hubHarness) aHistory(random *rand.Rand) {
	seq := uint64(1 + random.IntN(5))
	for range 20 + random.IntN(200) {
		s.pass(time.Second)
		if random.IntN(8) == 0 {
			s.hub.Missed(time.Time{}, s.clock.Now())
			continue
		}
		body := pick(random, `{}`, `{"a": 1}`, `{"b": 2, "a": 3}`, `{"c": "`+strings.Repeat("x", 2000)+`"}`)
		envelope := append(make([]byte, engine.MaxHeaderSize), `{"body": `+body+`}`...)
		r := filter.Reply{Sender: pick(random, "dome", "mount", "weather"), Code: pick(random, "i", ":", "e")}
		s.hub.Reply(&Reply{Reply: r, Plain: envelope, BodyAt: engine.MaxHeaderSize + len(`{"body": `)}, seq, true)
		seq += 1 + uint64(random.IntN(2)*random.IntN(4))
	}
}

// Pages that are put together have everything that is kept once, in order, in both directions.
func TestThePagesOfTheLogHaveEveryReplyAndEveryGapOnce(t *testing.T) {
	forEachSeed(t, 41, func(t *testing.T, random *rand.Rand) {
		s := newHarness(t)
		s.hub.history.Replies, s.hub.history.Age = pick(random, 50, 1000), pick(random, time.Minute, time.Hour)
		s.aHistory(random)
		text := pick(random, `{}`, `{"sender": "dome"}`, `{"keyword": "a"}`, `{"message_code": "e"}`, `{"sender": "nobody"}`)
		var v *Viewer
		if random.IntN(2) == 0 {
			v = &Viewer{View: viewOf(t, pick(random, `{"sender": ["dome", "mount"]}`, `{"keyword": ["a", "c"]}`), `{"message_code": ":"}`)}
		}
		c := s.connectAs(v)
		s.await(c, "hello")
		s.hub.history.expire(s.clock.Now())
		want := s.kept(mustFilter(t, text), v)
		var backwards, forwards []string
		fields := fmt.Sprintf(`, "filter": %s, "limit": `, text)
		for place := ""; ; {
			p := s.pageOf(c, fields+fmt.Sprint(1+random.IntN(20))+place)
			backwards = append(slices.Clone(p.entries), backwards...)
			if place = fmt.Sprintf(`, "before": %v`, p.next); !p.more {
				break
			}
		}
		for place := `, "after": 0`; ; {
			p := s.pageOf(c, fields+fmt.Sprint(1+random.IntN(20))+place)
			forwards = append(forwards, p.entries...)
			if place = fmt.Sprintf(`, "after": %v`, p.next); !p.more {
				break
			}
		}
		if !slices.Equal(backwards, want) {
			t.Errorf("backwards, the log of %s is %v\nwant %v", text, backwards, want)
		}
		if !slices.Equal(forwards, want) {
			t.Errorf("forwards, the log of %s is %v\nwant %v", text, forwards, want)
		}
	})
}

func TestAPageOfTheLogSaysWhereTheNextOneBegins(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	if p := s.pageOf(c, ``); fmt.Sprint(p) != "{[] <nil> <nil> false}" {
		t.Errorf("without replies it is %v", p)
	}
	for range 5 {
		s.from("dome", 0)
	}
	s.pass(time.Second)
	s.hub.Missed(time.Time{}, s.clock.Now())
	s.await(c, "gap")
	s.from("dome", 0)
	const gap = "gap 1970-01-01T00:00:01.000000+00:00"
	for fields, want := range map[string]string{
		`, "limit": 2`:                               "{[5 " + gap + " 6] 1 5 true}",
		`, "limit": 2, "before": 6`:                  "{[4 5 " + gap + "] 1 4 true}",
		`, "limit": 2, "before": 4`:                  "{[2 3] 1 2 true}",
		`, "limit": 2, "before": 2`:                  "{[1] 1 1 false}",
		`, "before": 1`:                              "{[] 1 1 false}",
		`, "before": 1000`:                           "{[1 2 3 4 5 " + gap + " 6] 1 1 false}",
		`, "limit": 2, "after": 0`:                   "{[1 2] 1 2 true}",
		`, "limit": 2, "after": 4`:                   "{[5 " + gap + " 6] 1 6 false}",
		`, "limit": 1, "after": 5`:                   "{[" + gap + " 6] 1 6 false}",
		`, "after": 6`:                               "{[] 1 6 false}",
		`, "after": 1000`:                            "{[] 1 1000 false}",
		`, "after": 3, "epoch": "epoch", "limit": 1`: "{[4] 1 4 true}",
		`, "filter": {"sender": "nobody"}`:           "{[" + gap + "] 1 1 false}",
	} {
		if p := s.pageOf(c, fields); fmt.Sprint(p) != want {
			t.Errorf("%s: %v, want %s", fields, p, want)
		}
	}
}

func TestNumbersOfAnotherEpochAreGone(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	s.tell(c, `{"op": "log", "id": "l", "before": 5, "epoch": "another"}`)
	if m := s.await(c, "error"); m["code"] != "gone" || m["id"] != "l" || !strings.Contains(m["message"].(string), "this is epoch epoch") {
		t.Errorf("it is told %v", m)
	}
}

func TestAPageOfTheLogIsNoLongerThanAMebibyteUnlessItHasASingleReply(t *testing.T) {
	s := newHarness(t)
	s.hub.history.Bytes = 64 << 20
	c := s.connect()
	say := func(bytes int) {
		s.saysBody(filter.Reply{Sender: "camera", Code: "i"}, `{"image": "`+strings.Repeat("x", bytes)+`"}`)
	}
	for range 3 {
		say(400 << 10)
	}
	s.hub.Missed(time.Time{}, s.clock.Now())
	s.await(c, "gap")
	say(2 << 20)
	say(10)
	const gap = "gap 1970-01-01T00:00:00.000000+00:00"
	for fields, want := range map[string]string{
		``:              "{[5] 1 5 true}",
		`, "before": 5`: "{[4] 1 4 true}",
		`, "before": 4`: "{[2 3 " + gap + "] 1 2 true}", // a gap is on the page of the reply before it
		`, "after": 1`:  "{[2 3] 1 3 true}",
		`, "after": 3`:  "{[" + gap + " 4] 1 4 true}",
	} {
		if p := s.pageOf(c, fields); fmt.Sprint(p) != want {
			t.Errorf("%s: %v, want %s", fields, p, want)
		}
	}
}

func TestTheLogBeginsAnewWhenGrantsChangeMeanwhile(t *testing.T) {
	s := newHarness(t)
	c := s.connectAs(nil)
	s.await(c, "hello")
	s.from("a", 0)
	s.from("b", 0)
	request := &logRequest{hub: s.hub, conn: c, session: c.session, answered: func() {}, LogRequest: LogRequest{Filter: all(), Limit: 10}}
	request.begin()
	request.take()
	request.match()
	s.changeNow(c, &Viewer{View: viewOf(t, `{"sender": "b"}`, "")})
	s.stepAll(request.step)
	if m := s.await(c, "log"); len(m["entries"].([]any)) != 1 || m["entries"].([]any)[0].(map[string]any)["seq"] != 2.0 {
		t.Errorf("the page is %v", m)
	}
}

// Replies to a client's own commands are in its log, even those that its view does not select.
func TestOwnRepliesAreInTheLog(t *testing.T) {
	s := newHarness(t)
	view := viewOf(t, `{"sender": "mount"}`, `{"message_code": "d"}`)
	ana, ben := s.connectAs(&Viewer{View: view, Own: true, Self: "name ana"}), s.connectAs(&Viewer{View: view, Own: true, Self: "name ben"})
	s.await(ana, "hello")
	s.await(ben, "hello")
	ana.self, ben.self = "name ana", "name ben"
	if _, err := s.hub.Inflight.Add(ana, CommandKey{"x", "dome"}, nil); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"d", "i", ":"} {
		s.says(filter.Reply{Sender: "dome", Code: code, CommandID: "x", Commander: "bridge.dome"}, 0)
	}
	if p := s.pageOf(ana, ``); fmt.Sprint(p.entries) != "[2 3]" {
		t.Errorf("the sender's log is %v", p)
	}
	if p := s.pageOf(ben, ``); len(p.entries) != 0 {
		t.Errorf("another's log is %v", p)
	}
	if p := s.pageOf(ana, `, "filter": {"commander": "me"}`); fmt.Sprint(p.entries) != "[2 3]" {
		t.Errorf("the log of its own commands is %v", p)
	}
}

func TestARefusalToResumeSaysWhatIsKept(t *testing.T) {
	s := newHarness(t)
	s.hub.history.Replies = 2
	for range 5 {
		s.from("dome", 0)
	}
	for since, want := range map[string]any{"epoch:1": 4.0, "other:1": 4.0, "epoch:4": nil} {
		c := s.dialAt("/?since=" + since)
		s.await(c, "hello")
		if ok := s.await(c, "ok"); ok["oldest"] != want {
			t.Errorf("since %s: %v", since, ok)
		}
	}
}

// BenchmarkLogPage measures a page of 500 replies of one actor among many.
func BenchmarkLogPage(b *testing.B) {
	s := newHarness(b)
	s.hub.history.Replies = 10_000
	for n := range 10_000 {
		s.hub.Reply(benchReply(), uint64(n+1), true)
	}
	session := NewSession("x", "")
	f := mustFilter(b, `{"sender": "mount"}`)
	b.ReportAllocs()
	for b.Loop() {
		t := &logRequest{hub: s.hub, conn: nullConn{}, session: session, answered: func() {}, LogRequest: LogRequest{Filter: f, Limit: 500}}
		for !t.step() {
		}
	}
}
