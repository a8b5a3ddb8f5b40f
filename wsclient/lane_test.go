package wsclient

import (
	"fmt"
	"strings"
	"testing"
)

// told returns a lane that selects everything, and what it has passed on.
func told() (*lane, func() string) {
	var got []string
	l := newLane(func(*Reply) bool { return true }, func(e Event) {
		switch e := e.(type) {
		case *Reply:
			text := fmt.Sprint(e.Seq)
			if e.Late {
				text += " late"
			}
			got = append(got, text)
		case Gap:
			got = append(got, "gap")
		case *Snapshot:
			got = append(got, fmt.Sprint("values to ", e.Seq))
		case Dropped:
			got = append(got, fmt.Sprint("dropped ", e.Count))
		}
	})
	l.live = true
	return l, func() string { return strings.Join(got, ", ") }
}

func numbered(seq uint64) *Reply { return &Reply{Epoch: "e", Seq: seq, Sender: "dome"} }

func TestALanePutsWhatItHoldsInOrder(t *testing.T) {
	l, got := told()
	l.start(Position{"e", 3})
	l.holding, l.late = true, 5
	for _, seq := range []uint64{5, 4, 2, 5, 6} {
		l.reply(numbered(seq))
	}
	l.gap(Gap{}, "")
	l.snapshot(&Snapshot{Epoch: "e", Seq: 5})
	if got() != "" {
		t.Errorf("it passes on %s", got())
	}
	l.flush()
	if want := "gap, 4 late, 5 late, values to 5, 6"; got() != want {
		t.Errorf("got %s, want %s", got(), want)
	}
}

func TestALaneForgetsWhatALostConnectionHadBroughtButNotEnded(t *testing.T) {
	l, got := told()
	l.start(Position{"e", 3})
	l.holding = true
	l.reply(numbered(5))
	l.reach(Position{"e", 9})
	l.lost(&Hello{Epoch: "e"}, -1)
	if c := l.cursor(); *c != (Position{"e", 3}) || got() != "" {
		t.Errorf("it resumes after %v, and has passed on %q", c, got())
	}
}

func TestALanePassesOnWhatALostConnectionHadBroughtInFull(t *testing.T) {
	l, got := told()
	l.start(Position{"e", 3})
	l.holding = true
	for _, seq := range []uint64{9, 5, 4} {
		l.reply(numbered(seq))
	}
	l.lost(&Hello{Epoch: "e"}, 6)
	if c, want := l.cursor(), "4, 5"; *c != (Position{"e", 6}) || got() != want {
		t.Errorf("it resumes after %v, and has passed on %q, want %q", c, got(), want)
	}
}

func TestAGapThatALostConnectionHadBroughtIsToldByTheNext(t *testing.T) {
	l, got := told()
	l.start(Position{"e", 3})
	for range 2 {
		l.holding = true
		l.reply(numbered(5))
		l.gap(Gap{}, "from to")
		l.gap(Gap{}, "from to")
		l.reply(numbered(7))
		l.lost(&Hello{Epoch: "e"}, 4)
	}
	l.holding = true
	l.gap(Gap{}, "from to")
	l.flush()
	if want := "gap"; got() != want {
		t.Errorf("got %q, want %q", got(), want)
	}
}

func TestProgressIsWhatHasComeInFull(t *testing.T) {
	yes, no := true, false
	a, b, c := &lane{}, &lane{}, &lane{}
	p := newProgress()
	seq := func(n uint64) *uint64 { return &n }
	expect := func(when string, wantA, wantB, wantC int64) {
		t.Helper()
		copied := *p
		copied.at = map[*lane]int64{}
		for l, at := range p.at {
			copied.at[l] = at
		}
		if gotA, gotB, gotC := copied.lost(a), copied.lost(b), copied.lost(c); gotA != wantA || gotB != wantB || gotC != wantC {
			t.Errorf("%s: %d, %d, %d, want %d, %d, %d", when, gotA, gotB, gotC, wantA, wantB, wantC)
		}
	}
	p.answer(a, &message{Resumed: &yes, Seq: seq(60)})
	expect("before anything came", -1, -1, -1)
	p.reply(43)
	p.reply(50)
	expect("in the middle of the first", 50, -1, -1)
	p.answer(b, &message{Resumed: &no, Seq: seq(70)})
	expect("after the first", 60, -1, -1)
	p.snapshot(b)
	expect("after the last values", 60, 70, -1)
	p.reply(71)
	p.reply(72)
	expect("with live replies", 72, 72, -1)
	p.answer(c, &message{Resumed: &yes, Seq: seq(80)})
	p.reply(65)
	expect("in the middle of the last", 72, 72, 65)
	p.answer(nil, &message{})
	expect("after all", 72, 72, 80)
}

func TestAThrottledLaneKeepsTheOrderOfEachSender(t *testing.T) {
	l, got := told()
	l.throttle = true
	for _, r := range []*Reply{{Epoch: "e", Seq: 7, Sender: "dome"}, {Epoch: "e", Seq: 5, Sender: "weather"}, {Epoch: "e", Seq: 6, Sender: "dome"}, {Epoch: "e", Seq: 5, Sender: "weather"}} {
		l.reply(r)
	}
	if want := "7, 5"; got() != want {
		t.Errorf("got %s, want %s", got(), want)
	}
}

func TestALaneHoldsSoMuchAndSaysWhatItLeavesOut(t *testing.T) {
	l, _ := told()
	l.start(Position{"e", 0})
	l.holding = true
	var dropped, replies int
	l.deliver = func(e Event) {
		switch e := e.(type) {
		case *Reply:
			replies++
		case Dropped:
			dropped = e.Count
		}
	}
	for seq := range uint64(maxHeld + 7) {
		l.reply(numbered(seq + 1))
	}
	l.flush()
	if replies != maxHeld || dropped != 7 {
		t.Errorf("%d replies, %d dropped", replies, dropped)
	}
}

func TestAQueueSaysWhatItLeavesOut(t *testing.T) {
	q := newQueue(2, false)
	for seq := range uint64(5) {
		q.put(numbered(seq))
	}
	var got []string
	q.end(ErrClosed)
	for {
		e, err := q.next(t.Context())
		if err != nil {
			break
		}
		if r, ok := e.(*Reply); ok {
			got = append(got, fmt.Sprint(r.Seq))
		} else {
			got = append(got, fmt.Sprint("dropped ", e.(Dropped).Count))
		}
	}
	if text := strings.Join(got, ", "); text != "dropped 3, 3, 4" {
		t.Errorf("got %s", text)
	}
}

func TestAGapIsToldOnceAlthoughNothingComesBehindIt(t *testing.T) {
	for _, holding := range []bool{false, true} {
		l, got := told()
		l.start(Position{"before", 3})
		l.holding = holding
		l.gap(Gap{}, "")
		l.restart(Position{"e", 7})
		l.lost(&Hello{Epoch: "e"}, 7) // before anything has come
		if c, want := l.cursor(), "gap"; *c != (Position{"e", 7}) || got() != want {
			t.Errorf("holding %t: it resumes after %v, and has passed on %q, want %q", holding, c, got(), want)
		}
	}
}

func TestAGapThatIsHeldWithAPlaceIsToldByTheNextConnection(t *testing.T) {
	l, got := told()
	l.start(Position{"before", 3})
	l.holding = true
	l.gap(Gap{}, "")
	l.restart(Position{"e", 7})
	l.reply(numbered(6)) // of another subscription
	l.lost(&Hello{Epoch: "e"}, -1)
	if c := l.cursor(); *c != (Position{"before", 3}) || got() != "" {
		t.Errorf("it resumes after %v, and has passed on %q", c, got())
	}
	l.live, l.holding = true, true
	l.gap(Gap{}, "")
	l.reply(numbered(6))
	l.restart(Position{"e", 7})
	l.reply(numbered(8))
	l.flush()
	if c, want := l.cursor(), "gap, 6, 8"; *c != (Position{"e", 8}) || got() != want {
		t.Errorf("it resumes after %v, and has passed on %q, want %q", c, got(), want)
	}
}
