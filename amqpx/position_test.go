package amqpx

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// reader is the state of a stream, and what it reported.
type reader struct {
	*consumerState
	reported []string
}

func newReader() *reader {
	r := &reader{}
	r.consumerState = newConsumerState(Queue{
		Name:    "bridge",
		Deliver: func(d *Delivery) { r.reported = append(r.reported, string(d.Body)) },
		OnGap: func(g Gap) {
			from := "?"
			if !g.From.IsZero() {
				from = g.From.Sub(at(0)).String()
			}
			r.reported = append(r.reported, from+"-"+g.To.Sub(at(0)).String())
		},
		Stream: &Stream{Name: "s", OnCaughtUp: func() { r.reported = append(r.reported, "live") }},
	}, 10, slog.New(slog.DiscardHandler))
	return r
}

// read takes messages from an offset on: a name, or "begin" or "end" for a marker.
func (r *reader) read(offset int, messages ...string) {
	for i, m := range messages {
		d := amqp.Delivery{Exchange: "x", Body: []byte(m), Headers: amqp.Table{offsetHeader: int64(offset + i)}}
		switch m {
		case "begin", "place":
			d.Exchange, d.RoutingKey, d.Type = "", "s", map[string]string{"begin": beginType, "place": placeType}[m]
		case "end":
			d.Exchange, d.RoutingKey, d.Type = "", "s", endType
			d.Body = fmt.Appendf(nil, `{"from": %q, "to": %q}`, at(10).Format("2006-01-02T15:04:05.000Z07:00"), at(20).Format("2006-01-02T15:04:05.000Z07:00"))
		}
		r.take(&d)
	}
}

func (r *reader) expect(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(r.reported, " "); got != want {
		t.Errorf("it reported %q, want %q", got, want)
	}
}

func TestAGapInAStreamIsReportedBeforeWhatFollowsTheNewBinding(t *testing.T) {
	r := newReader()
	r.stream.locate(100, 7, true)
	r.read(0, "a", "begin", "b", "c", "end", "d", "place", "live?")
	r.expect(t, "a 10ms-20ms b c d live live?")
}

func TestAReaderThatKnowsMoreThanTheWriterOfAGapNarrowsIt(t *testing.T) {
	r := newReader()
	r.stream.locate(0, 0, true)
	r.lastVerified = at(15)
	r.read(0, "begin", "end", "a")
	r.expect(t, "live 15ms-20ms a")
}

func TestAGapWithoutAnEndHoldsNothingUpForEver(t *testing.T) {
	r := newReader()
	r.stream.locate(100, 3, true)
	r.read(0, "begin", "a", "b", "place", "c")
	if len(r.reported) != 5 || !strings.HasPrefix(r.reported[0], "?-") || !slices.Equal(r.reported[1:], []string{"a", "b", "live", "c"}) {
		t.Errorf("it reported %q", r.reported)
	}
	r = newReader()
	r.stream.locate(0, 0, true)
	r.read(0, append([]string{"begin"}, make([]string, maxBuffered)...)...)
	if len(r.reported) != maxBuffered+2 {
		t.Errorf("%d messages were handed over", len(r.reported))
	}
}

func TestAStreamThatWasDeletedIsReadFromItsBeginning(t *testing.T) {
	r := newReader()
	r.stream.locate(100, 5, true)
	r.read(3, "a", "b")
	for _, c := range []struct {
		end, from  uint64
		renumbered bool
	}{{5, 5, false}, {2, 0, true}, {9, 0, false}} {
		if from := r.stream.locate(100, c.end, true); from == nil || *from != c.from || r.stream.renumbered != c.renumbered {
			t.Errorf("a stream that ends at %d is read from %v, renumbered: %t", c.end, from, r.stream.renumbered)
		}
	}
}

func TestWhatAStreamRepeatsIsLeftOutAndWhatItHasLostIsAGap(t *testing.T) {
	r := newReader()
	r.stream.locate(100, 5, true)
	r.read(3, "a", "b") // retention had removed what was before, which was never promised
	if from := r.stream.locate(100, 90, true); from == nil || *from != 5 {
		t.Errorf("it reads on from %v", from)
	}
	r.read(4, "b", "c")
	r.read(8, "d") // the broker's own records
	r.read(100, "e")
	if len(r.reported) != 7 || strings.Join(r.reported[:5], " ") != "a b live c d" || r.reported[6] != "e" {
		t.Errorf("it reported %q", r.reported)
	}
}

func TestNoGapEndsBeforeItStartsWhateverOtherClocksShow(t *testing.T) {
	var gaps []Gap
	cs := newConsumerState(Queue{
		Deliver: func(*Delivery) {},
		OnGap:   func(g Gap) { gaps = append(gaps, g) },
		Stream:  &Stream{Name: "s"},
	}, 10, slog.New(slog.DiscardHandler))
	cs.stream.locate(0, 0, true)
	take := func(offset int64, d amqp.Delivery) {
		d.Headers = amqp.Table{offsetHeader: offset}
		cs.take(&d)
	}
	end := func(from, to string) amqp.Delivery {
		return amqp.Delivery{RoutingKey: "s", Type: endType, Body: fmt.Appendf(nil, `{"from": %q, "to": %q}`, from, to)}
	}
	take(0, amqp.Delivery{Exchange: "x"})
	take(100, amqp.Delivery{Exchange: "x", Timestamp: time.Now().Add(-time.Hour)}) // of a sender whose clock is slow
	take(101, end("2026-01-01T12:00:00Z", "2026-01-01T11:00:00Z"))                 // by a link whose clock was set back
	if len(gaps) != 2 {
		t.Fatalf("the gaps are %v", gaps)
	}
	for _, g := range gaps {
		if g.To.Before(g.From) {
			t.Errorf("%v ends before it begins", g)
		}
	}
	if gaps[0].From.IsZero() || !gaps[1].From.IsZero() {
		t.Errorf("the gaps are %v; of the second alone nobody knows the beginning", gaps)
	}
}

func TestAStreamThatCannotBeLocatedIsReadFromNowOn(t *testing.T) {
	r := newReader()
	if from := r.stream.locate(100, 0, false); from != nil {
		t.Errorf("it is read from %d", *from)
	}
	r.startSession()
	r.begin()
	r.read(40, "a")
	r.expect(t, "live a")
	if from := r.stream.locate(100, 0, false); from == nil || *from != 41 {
		t.Errorf("then it is read from %v", from)
	}
}

func TestALinkThatBreaksBeforeADeliveryReadsOnFromItsPosition(t *testing.T) {
	r := newReader()
	r.stream.locate(2, 10, true)
	if from := r.stream.locate(2, 50, true); from == nil || *from != 8 {
		t.Errorf("it reads on from %v", from)
	}
}

func TestAGapThatEndedBeforeTheLinkWasMadeIsReplayed(t *testing.T) {
	for name, c := range map[string]struct {
		live uint64 // the first offset behind the backlog
		made time.Time
		old  bool
	}{
		"of the past":                      {5, at(1000), true},
		"of the past, by this link itself": {5, at(15), false},
		"live":                             {0, at(1000), false},
	} {
		r := newReader()
		var gaps []Gap
		r.queue.OnGap = func(g Gap) { gaps = append(gaps, g) }
		r.linkMade = c.made
		r.stream.locate(100, c.live, true)
		r.read(0, "a", "begin", "end", "b")
		if len(gaps) != 1 || gaps[0].Replayed != c.old {
			t.Errorf("%s: the gaps are %+v", name, gaps)
		}
	}
}

func TestAGapInAStreamWhoseEndIsUnknownIsToldThoughItIsNotRead(t *testing.T) {
	for _, c := range []struct {
		marked, served, located, endKnown, told bool
	}{
		{marked: true, told: true},                  // it reads from the next message on, behind the gap
		{marked: true, endKnown: true},              // it reads the gap
		{marked: true, served: true, told: true},    // nothing has arrived yet
		{marked: true, served: true, located: true}, // it goes on where it was
		{served: true, endKnown: true, told: true},
		{},
	} {
		r := newReader()
		r.stream.marked, r.served, r.stream.located = c.marked, c.served, c.located
		if r.noteUnread(c.endKnown); (r.gap != nil) != c.told {
			t.Errorf("%+v: the gap is %v", c, r.gap)
		}
		if r.stream.marked {
			t.Errorf("%+v: the next session tells it again", c)
		}
	}
}
