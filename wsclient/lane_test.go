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
	l.lost()
	if c := l.cursor(); *c != (Position{"e", 3}) || got() != "" {
		t.Errorf("it resumes after %v, and has passed on %q", c, got())
	}
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
