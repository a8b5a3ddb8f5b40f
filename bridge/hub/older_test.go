package hub

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// stream is what a broker keeps: everything from oldest on.
type stream struct {
	all    []streamed
	oldest uint64
	reads  atomic.Int32
	err    error
}

// streamed is a reply in a stream, or a gap if to is set.
type streamed struct {
	seq   uint64
	reply filter.Reply
	body  string
	to    time.Time
}

func (e *streamed) newReply() *Reply {
	envelope := append(make([]byte, engine.MaxHeaderSize), `{"body": `+e.body+`}`...)
	return &Reply{Reply: e.reply, Plain: envelope, BodyAt: engine.MaxHeaderSize + len(`{"body": `)}
}

func (f *stream) read(from, until uint64, reply func(uint64, *Reply), gap func(uint64, time.Time, time.Time)) (uint64, error) {
	f.reads.Add(1)
	for i := range f.all {
		switch e := &f.all[i]; {
		case e.seq < max(from, f.oldest) || e.seq >= until:
		case !e.to.IsZero():
			gap(e.seq, time.Time{}, e.to)
		default:
			reply(e.seq, e.newReply())
		}
	}
	return f.oldest, f.err
}

// texts returns the entries that a filter and a viewer select, as pageOf does.
func (f *stream) texts(by *filter.Filter, v *Viewer) (all []string) {
	for i := range f.all {
		e := &f.all[i]
		if e.seq < f.oldest {
			continue
		}
		if !e.to.IsZero() {
			all = append(all, "gap "+e.to.UTC().Format("2006-01-02T15:04:05.000000+00:00"))
			continue
		}
		r, dup := e.newReply(), filter.Reply{}
		r.encode("epoch")
		if r.withKeywords(&dup); by.Match(&dup) && v.view().Match(&dup) {
			all = append(all, fmt.Sprint(e.seq))
		}
	}
	return all
}

// overAStream makes a hub that remembers a part of what is in a stream.
func overAStream(t *testing.T, random *rand.Rand) (*hubHarness, *stream) {
	s, f := newHarness(t), &stream{}
	h := s.hub
	h.readOlder, h.history.Replies = f.read, pick(random, 0, 1, 7, 50)
	seq := uint64(1 + random.IntN(5))
	for range 20 + random.IntN(200) {
		s.pass(time.Second)
		if random.IntN(8) == 0 {
			f.all = append(f.all, streamed{seq: seq, to: s.clock.Now()})
			h.Missed(time.Time{}, s.clock.Now())
		} else {
			e := streamed{seq: seq, body: pick(random, `{}`, `{"a": 1}`, `{"b": 2, "a": 3}`, `{"c": "`+strings.Repeat("x", 2000)+`"}`)}
			e.reply = filter.Reply{Sender: pick(random, "dome", "mount", "weather"), Code: pick(random, "i", ":", "e")}
			f.all = append(f.all, e)
			h.Reply(e.newReply(), seq, true)
		}
		seq += 1 + uint64(random.IntN(2)*random.IntN(2)*random.IntN(2*olderReplies))
	}
	// What was missed since the last reply is told when it happens, and then with the next reply.
	last := streamed{seq: seq, body: `{}`, reply: filter.Reply{Sender: "dome", Code: "i"}}
	f.all = append(f.all, last)
	h.Reply(last.newReply(), seq, true)
	if h.history.floor > 0 && random.IntN(2) == 0 {
		f.oldest = random.Uint64N(h.history.floor)
	}
	return s, f
}

// Pages that are put together have everything that is in the stream once, in order, in both directions.
func TestThePagesOfTheLogGoOnInTheStream(t *testing.T) {
	forEachSeed(t, 43, func(t *testing.T, random *rand.Rand) {
		s, f := overAStream(t, random)
		text := pick(random, `{}`, `{"sender": "dome"}`, `{"keyword": "a"}`, `{"message_code": "e"}`, `{"sender": "nobody"}`)
		var v *Viewer
		if random.IntN(2) == 0 {
			v = &Viewer{View: viewOf(t, pick(random, `{"sender": ["dome", "mount"]}`, `{"keyword": ["a", "c"]}`), `{"message_code": ":"}`)}
		}
		c := s.connectAs(v)
		s.await(c, "hello")
		want := f.texts(mustFilter(t, text), v)
		for direction, place := range map[string]string{"before": "", "after": `, "after": 0`} {
			var got []string
			for {
				p := s.pageOf(c, fmt.Sprintf(`, "filter": %s, "limit": %d%s`, text, 1+random.IntN(20), place))
				if direction == "after" {
					got = append(got, p.entries...)
				} else {
					got = append(slices.Clone(p.entries), got...)
				}
				if !p.more {
					break
				}
				place = fmt.Sprintf(`, "%s": %v`, direction, p.next)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, the log of %s is %v\nwant %v", direction, text, got, want)
			}
		}
	})
}

func TestAPageForWhichTheStreamCannotBeReadIsRefused(t *testing.T) {
	s, f := overAStream(t, rand.New(rand.NewPCG(1, 1)))
	f.err = errors.New("it cannot be read now")
	c := s.connect()
	s.tell(c, `{"op": "log", "id": "a", "before": 2}`)
	if m := s.await(c, "error"); m["message"] != "it cannot be read now" || m["id"] != "a" {
		t.Errorf("got %v", m)
	}
	f.err = nil
	if p := s.pageOf(c, `, "before": 9`); p.oldest == nil || p.more {
		t.Errorf("once it can be read, the page is %+v", p)
	}
}

func TestAPageReadsABoundedPartOfTheStreamAndSaysWhereToGoOn(t *testing.T) {
	s, f := newHarness(t), &stream{}
	s.hub.readOlder = f.read
	s.hub.Reply((&streamed{body: `{}`}).newReply(), 100_000, true)
	c := s.connect()
	p := s.pageOf(c, `, "filter": {"sender": "nobody"}`)
	if reads := int(f.reads.Load()); reads != maxOlderParts || !p.more || fmt.Sprint(p.next) != fmt.Sprint(100_000-maxOlderParts*olderReplies) {
		t.Errorf("after %d reads the page is %+v", reads, p)
	}
	p = s.pageOf(c, `, "after": 5, "filter": {"sender": "nobody"}`)
	if !p.more || fmt.Sprint(p.next) != fmt.Sprint(5+maxOlderParts*olderReplies) {
		t.Errorf("forwards, it is %+v", p)
	}
}

// Memory then has replies of the old stream, which the new one has not.
func TestThePagesOfTheLogCrossFromAStreamToTheOneThatReplacesIt(t *testing.T) {
	s, f := newHarness(t), &stream{oldest: 5_000_000}
	h := s.hub
	h.readOlder, h.history.Replies = f.read, 5
	for _, seq := range []uint64{10, 11, 12} {
		h.Reply((&streamed{seq: seq, body: `{}`}).newReply(), seq, true)
	}
	gap := "gap " + s.clock.Now().UTC().Format("2006-01-02T15:04:05.000000+00:00")
	h.Missed(time.Time{}, s.clock.Now())
	for seq := f.oldest; seq < f.oldest+3; seq++ {
		f.all = append(f.all, streamed{seq: seq, body: `{}`})
		h.Reply(f.all[len(f.all)-1].newReply(), seq, true)
	}
	want := []string{"12", gap, "5e+06", "5.000001e+06", "5.000002e+06"}
	c := s.connect()
	for name, p := range map[string]logPage{"backwards": s.pageOf(c, ""), "forwards": s.pageOf(c, `, "after": 5`)} {
		if !slices.Equal(p.entries, want) || p.more || p.oldest != 12.0 {
			t.Errorf("%s, the page is %+v, not %v", name, p, want)
		}
	}
}

// A stream that is slow delays neither replies nor other requests, and few read it at a time.
func TestASlowStreamDelaysNobodyElse(t *testing.T) {
	s, f := newHarness(t), &stream{}
	began, release := make(chan struct{}, 100), make(chan struct{})
	s.hub.readOlder = func(from, until uint64, _ func(uint64, *Reply), _ func(uint64, time.Time, time.Time)) (uint64, error) {
		began <- struct{}{}
		<-release
		return f.read(from, until, nil, nil)
	}
	s.hub.Reply((&streamed{body: `{}`}).newReply(), 100_000, true)
	c, other := s.connect(), s.connect()
	for range maxOlderOfClient {
		s.tell(c, `{"op": "log", "before": 9}`)
	}
	for range maxOlderReaders {
		testkit.Receive(t, began)
	}
	s.tell(c, `{"op": "log", "id": "b", "before": 9}`)
	if m := s.await(c, "error"); m["id"] != "b" || m["message"] != errOlderBusy.Error() {
		t.Errorf("one too many is answered with %v", m)
	}
	for _, client := range []*recordingClient{c, other} {
		if p := s.pageOf(client, `, "limit": 1`); len(p.entries) != 1 || !p.more {
			t.Errorf("meanwhile, a page from memory is %+v", p)
		}
	}
	s.hub.Reply((&streamed{body: `{}`}).newReply(), 100_001, true)
	if len(began) > 0 {
		t.Errorf("%d more than %d read the stream", len(began), maxOlderReaders)
	}
	close(release)
	for range maxOlderOfClient {
		s.await(c, "log")
	}
	s.tell(c, `{"op": "log", "before": 9}`)
	s.await(c, "log")
}

// A client whose rights change while the stream is read gets what it may hear now.
func TestAPageFromTheStreamHasWhatAClientMayHearInTheEnd(t *testing.T) {
	s, f := newHarness(t), &stream{}
	for i, sender := range []string{"dome", "mount"} {
		f.all = append(f.all, streamed{seq: uint64(i + 1), body: `{}`, reply: filter.Reply{Sender: sender, Code: "i"}})
	}
	c := s.connectAs(&Viewer{View: viewOf(t, `{"sender": "mount"}`, "")})
	s.await(c, "hello")
	s.hub.Reply((&streamed{body: `{}`}).newReply(), 3, true)
	s.hub.readOlder = func(from, until uint64, reply func(uint64, *Reply), gap func(uint64, time.Time, time.Time)) (uint64, error) {
		s.hub.SetViewer(c.session, &Viewer{View: viewOf(t, `{"sender": "dome"}`, "")})
		return f.read(from, until, reply, gap)
	}
	if p := s.pageOf(c, ``); !slices.Equal(p.entries, []string{"1"}) {
		t.Errorf("it gets %v", p.entries)
	}
}

func TestThePartOfAStreamThatIsReadIsBounded(t *testing.T) {
	frame := engine.Must(engine.NewText(append(make([]byte, engine.MaxHeaderSize), strings.Repeat("x", maxOlderBytes/3)...)))
	for _, forwards := range []bool{true, false} {
		p := &olderPart{from: 5, until: 100, forwards: forwards}
		for seq := uint64(10); seq < 20; seq++ {
			p.add(entry{seq: seq, frame: frame})
		}
		from, until := uint64(5), uint64(12)
		if !forwards {
			from, until = 18, 100
		}
		if len(p.entries) != 2 || p.from != from || p.until != until {
			t.Errorf("forwards (%v): it keeps %d entries, from %d until %d", forwards, len(p.entries), p.from, p.until)
		}
	}
}
