package amqpx

import (
	"log/slog"
	"testing"
	"time"
)

// broke is a session that consumed the queue and has ended.
func broke(in *intake, stood time.Duration, failed bool) *session {
	s := &session{link: &Link{intakes: []*intake{in}, log: slog.New(slog.DiscardHandler)}, began: time.Now().Add(-stood)}
	s.consumers = []*consumer{{intake: in}}
	s.failed.Store(failed)
	return s
}

func streamIntake() *intake {
	in := newIntake(Queue{Name: "q", Stream: &Stream{Name: "s"}}, 10, slog.New(slog.DiscardHandler))
	in.stream.located, in.stream.next, in.stream.taken = true, 5, time.Now()
	return in
}

func TestAStreamIsSteppedOverOneMessageAfterTwoFailuresAtOnePlace(t *testing.T) {
	in := streamIntake()
	broke(in, 0, true).noteUnreadable()
	if !in.careful || in.stream.next != 5 || in.gap != nil {
		t.Fatalf("after one failure: %+v", in.stream)
	}
	broke(in, 0, false).noteUnreadable() // the network broke: that says nothing
	if !in.careful {
		t.Fatal("a break of another kind ends the care")
	}
	broke(in, 0, true).noteUnreadable()
	if in.careful || in.stream.next != 6 || in.gap == nil || in.pace() != 10 {
		t.Errorf("after two failures: %+v, the gap is %v", in.stream, in.gap)
	}
	broke(in, 0, true).noteUnreadable()
	if in.stream.next != 6 {
		t.Error("the next message is stepped over after one failure")
	}
}

func TestFailuresThatAreNotOfAMessageStepOverNothing(t *testing.T) {
	in := streamIntake()
	for range 3 { // each after the link has stood for long
		broke(in, time.Hour, true).noteUnreadable()
	}
	for range 3 { // nothing was consumed: a stream without a leader, say
		s := broke(in, 0, true)
		s.consumers = nil
		s.noteUnreadable()
	}
	if in.stream.next != 5 {
		t.Errorf("the next offset is %d", in.stream.next)
	}
	broke(in, time.Hour, false).noteUnreadable()
	if in.careful || in.failures != 0 {
		t.Error("a session that stood for long does not end the care")
	}
}

func TestWhatIsSteppedOverWasSentAfterWhatCameBeforeIt(t *testing.T) {
	now := time.Now()
	for _, c := range []struct{ taken, sent, want time.Time }{
		{},
		{taken: now, want: now.Add(-time.Second)},
		{taken: now, sent: now, want: now.Add(-time.Second)},
		{taken: now, sent: now.Add(-time.Hour), want: now.Add(-time.Hour)}, // it waited in the stream
	} {
		p := position{taken: c.taken, sent: c.sent}
		if got := p.skip(time.Second); !got.Equal(c.want) || p.next != 1 {
			t.Errorf("%+v: after %v", c, got)
		}
	}
}

// The broker's last word is that it failed. It came after the message that is lost, however late.
func TestAFailureIsNoWordThatNothingIsMissing(t *testing.T) {
	bound := time.Now().Add(-time.Minute)
	handed, heard := bound.Add(time.Second), bound.Add(10*time.Second)
	in := newIntake(Queue{Name: "q"}, 10, slog.New(slog.DiscardHandler))
	in.bound, in.late = bound, 50*time.Millisecond
	in.begin()
	in.quiet.waiting(handed, 0, 0, false)
	in.quiet.received(1)
	in.quiet.waiting(handed.Add(time.Millisecond), 1, 0, false)
	in.end(heard, bound)
	if want := heard.Add(-in.late); !in.clear.Equal(want) {
		t.Fatalf("clear until %v, want %v", in.clear, want)
	}
	s := broke(in, 0, true)
	s.serving = true
	s.noteUnreadable()
	if want := handed.Add(-in.late); !in.clear.Equal(want) {
		t.Errorf("after a failure clear until %v, want %v", in.clear, want)
	}
}

// What breaks the link again when all has been taken is no message: the next one, which is
// not there yet, must not be left out.
func TestNothingIsSteppedOverOnceAllWasTaken(t *testing.T) {
	in := streamIntake()
	in.stream.locate(0, 5, true)
	for range 4 {
		broke(in, 0, true).noteUnreadable()
	}
	if in.stream.next != 5 || in.gap != nil {
		t.Fatalf("it was stepped over to %d, the gap is %v", in.stream.next, in.gap)
	}
	if from := in.stream.locate(0, 6, true); from == nil || *from != 5 {
		t.Fatalf("it is read from %v", from)
	}
	broke(in, 0, true).noteUnreadable()
	if in.stream.next != 6 {
		t.Error("a message that was there is not stepped over")
	}
}

func TestAFailureCountsHoweverLongTheLinkTookToStand(t *testing.T) {
	in := streamIntake()
	for range 2 {
		s := broke(in, time.Hour, true)
		s.consumed = time.Now()
		s.noteUnreadable()
	}
	if in.stream.next != 6 {
		t.Errorf("the next offset is %d", in.stream.next)
	}
}

func TestAGapThatIsToldLateTakesInTheOneThatWasNotToldYet(t *testing.T) {
	now := time.Now()
	in := newIntake(Queue{Name: "q", Expires: time.Minute}, 10, slog.New(slog.DiscardHandler))
	in.clear, in.bound = now.Add(-time.Minute), now.Add(-50*time.Second)
	in.lost(7)
	in.clear, in.bound = now.Add(-20*time.Second), now
	in.lost(3)
	if want := (Gap{From: now.Add(-time.Minute), To: now}); *in.gap != want || in.after != 3 {
		t.Errorf("the gap is %v after %d", *in.gap, in.after)
	}
}

func TestThePauseAfterAStepOverIsTheFirstOne(t *testing.T) {
	in := streamIntake()
	pause := backoff{pause: lastPause}
	for failure, want := range []time.Duration{lastPause, 0} {
		s := broke(in, 0, true)
		s.noteUnreadable()
		s.link.hasten(&pause)
		if pause.pause != want {
			t.Errorf("after failure %d: %v", failure+1, pause.pause)
		}
	}
	broke(in, 0, false).link.hasten(&pause)
	if pause.next(); pause.pause != firstPause {
		t.Errorf("afterwards: %v", pause.pause)
	}
}
