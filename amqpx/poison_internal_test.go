package amqpx

import (
	"log/slog"
	"testing"
	"time"
)

// broke returns a session that consumed the queue and has ended.
func broke(cs *consumerState, lasted time.Duration, failed bool) *session {
	s := &session{link: &Link{consumerStates: []*consumerState{cs}, log: slog.New(slog.DiscardHandler)}, began: time.Now().Add(-lasted)}
	s.consumers = []*consumer{{state: cs}}
	s.failed.Store(failed)
	return s
}

func streamState() *consumerState {
	cs := newConsumerState(Queue{Name: "q", Stream: &Stream{Name: "s"}}, 10, slog.New(slog.DiscardHandler))
	cs.stream.located, cs.stream.next, cs.stream.taken = true, 5, time.Now()
	return cs
}

func TestAStreamSkipsOneMessageAfterTwoFailuresAtOneOffset(t *testing.T) {
	cs := streamState()
	broke(cs, 0, true).notePoison()
	if !cs.probing || cs.stream.next != 5 || cs.gap != nil {
		t.Fatalf("after one failure: %+v", cs.stream)
	}
	broke(cs, 0, false).notePoison() // the network broke, which shows nothing
	if !cs.probing {
		t.Fatal("a break of another kind ends the care")
	}
	broke(cs, 0, true).notePoison()
	if cs.probing || cs.stream.next != 6 || cs.gap == nil || cs.currentPrefetch() != 10 {
		t.Errorf("after two failures: %+v, the gap is %v", cs.stream, cs.gap)
	}
	broke(cs, 0, true).notePoison()
	if cs.stream.next != 6 {
		t.Error("the next message is skipped after one failure")
	}
}

func TestFailuresOverNoMessageSkipNothing(t *testing.T) {
	cs := streamState()
	for range 3 { // each after a long session
		broke(cs, time.Hour, true).notePoison()
	}
	for range 3 { // nothing was consumed: a stream without a leader, say
		s := broke(cs, 0, true)
		s.consumers = nil
		s.notePoison()
	}
	if cs.stream.next != 5 {
		t.Errorf("the next offset is %d", cs.stream.next)
	}
	broke(cs, time.Hour, false).notePoison()
	if cs.probing || cs.brokerFailures != 0 {
		t.Error("a long session does not end the probing")
	}
}

func TestASkippedMessageWasSentAfterTheOneBeforeIt(t *testing.T) {
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

// The last frame from the broker reports its failure, long after the message that is lost.
func TestABrokerThatFailsDoesNotProveThatNothingIsMissing(t *testing.T) {
	bound := time.Now().Add(-time.Minute)
	handed, heard := bound.Add(time.Second), bound.Add(10*time.Second)
	cs := newConsumerState(Queue{Name: "q"}, 10, slog.New(slog.DiscardHandler))
	cs.boundAt, cs.latency = bound, 50*time.Millisecond
	cs.startSession()
	cs.begin()
	cs.loss.idle(handed, 0, 0, handed, false)
	cs.loss.received(1)
	cs.loss.idle(handed.Add(time.Millisecond), 1, 0, handed, false)
	cs.end(heard, bound)
	if want := heard.Add(-cs.latency); !cs.completeUntil.Equal(want) {
		t.Fatalf("complete until %v, want %v", cs.completeUntil, want)
	}
	s := broke(cs, 0, true)
	s.serving = true
	s.notePoison()
	if want := handed.Add(-cs.latency); !cs.completeUntil.Equal(want) {
		t.Errorf("after a failure complete until %v, want %v", cs.completeUntil, want)
	}
}

// A break after everything was taken is not caused by a poison message: the next message, which has
// not been sent yet, must not be skipped.
func TestNothingIsSkippedOnceEverythingWasTaken(t *testing.T) {
	cs := streamState()
	cs.stream.locate(0, 5, true)
	for range 4 {
		broke(cs, 0, true).notePoison()
	}
	if cs.stream.next != 5 || cs.gap != nil {
		t.Fatalf("it was skipped to %d, the gap is %v", cs.stream.next, cs.gap)
	}
	if from := cs.stream.locate(0, 6, true); from == nil || *from != 5 {
		t.Fatalf("it is read from %v", from)
	}
	broke(cs, 0, true).notePoison()
	if cs.stream.next != 6 {
		t.Error("a message that was there is not skipped")
	}
}

func TestAFailureCountsHoweverLongConnectingTook(t *testing.T) {
	cs := streamState()
	for range 2 {
		s := broke(cs, time.Hour, true)
		s.consumed = time.Now()
		s.notePoison()
	}
	if cs.stream.next != 6 {
		t.Errorf("the next offset is %d", cs.stream.next)
	}
}

func TestALateGapIncludesThePendingOne(t *testing.T) {
	now := time.Now()
	cs := newConsumerState(Queue{Name: "q", Expires: time.Minute}, 10, slog.New(slog.DiscardHandler))
	cs.completeUntil, cs.boundAt = now.Add(-time.Minute), now.Add(-50*time.Second)
	cs.noteOutage(7)
	cs.completeUntil, cs.boundAt = now.Add(-20*time.Second), now
	cs.noteOutage(3)
	if want := (Gap{From: now.Add(-time.Minute), To: now}); *cs.gap != want || cs.gapAfter != 3 {
		t.Errorf("the gap is %v after %d", *cs.gap, cs.gapAfter)
	}
}

func TestThePauseAfterASkippedMessageIsTheFirstOne(t *testing.T) {
	cs := streamState()
	pause := backoff{pause: lastPause, jitter: randomBelow}
	for failure, want := range []time.Duration{lastPause, 0} {
		s := broke(cs, 0, true)
		s.notePoison()
		s.link.resetAfterSkip(&pause)
		if pause.pause != want {
			t.Errorf("after failure %d: %v", failure+1, pause.pause)
		}
	}
	broke(cs, 0, false).link.resetAfterSkip(&pause)
	if pause.next(); pause.pause != firstPause {
		t.Errorf("afterwards: %v", pause.pause)
	}
}
