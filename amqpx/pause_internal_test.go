package amqpx

import (
	"testing"
	"time"
)

func TestAPauseIsInDoubtUntilALaterRequestIsAnswered(t *testing.T) {
	const period = 30 * time.Millisecond
	var w pauseWatch
	if since := w.since(at(10_000), at(0)); !since.IsZero() {
		t.Errorf("before the first tick it was paused since %v", since)
	}
	w.tick(at(0), period)
	w.tick(at(200), period) // late, and no pause
	if since := w.since(at(300), at(0)); !since.IsZero() {
		t.Errorf("it was paused since %v", since.Sub(at(0)))
	}
	// The first query after the process wakes detects the stall, even before the next tick.
	if since := w.since(at(5000), at(0)); !since.Equal(at(200)) {
		t.Errorf("it was paused since %v", since.Sub(at(0)))
	}
	w.tick(at(5010), period)
	w.tick(at(9000), period)
	for answered, want := range map[int]time.Time{0: at(200), 4999: at(200), 5000: at(5010), 8999: at(5010), 9000: {}} {
		if since := w.since(at(9001), at(answered)); !since.Equal(want) {
			t.Errorf("answered at %d ms: it was paused since %v, want %v", answered, since.Sub(at(0)), want.Sub(at(0)))
		}
	}
}

func TestOfManyPausesTheFirstIsRemembered(t *testing.T) {
	var w pauseWatch
	for i := range 10 * maxPauses {
		w.tick(at(1000*i), time.Millisecond)
	}
	last := at(1000 * (10*maxPauses - 1))
	if since := w.since(last, at(0)); !since.Equal(at(0)) || len(w.pauses) > maxPauses {
		t.Errorf("of %d pauses the first began at %v", len(w.pauses), since.Sub(at(0)))
	}
	if since := w.since(last, last); !since.IsZero() {
		t.Errorf("after an answer it was paused since %v", since.Sub(at(0)))
	}
	w.tick(last.Add(2*pausesFor), time.Millisecond)
	if len(w.pauses) > 2 {
		t.Errorf("%d pauses of long ago are remembered", len(w.pauses))
	}
}

func TestWhatIsReadAfterAPauseMovesNoGap(t *testing.T) {
	const prefetch = 4
	q := newLossBound(prefetch, 10*time.Millisecond, at(0), time.Time{})
	q.idle(at(100), 0, 0, at(100), false)
	// The process is paused until 5000, and then reads what was in the buffers.
	q.received(1)
	q.idle(at(5000), 1, 0, at(5000), true)
	q.received(2)
	if !q.routedAfter.Equal(at(100)) {
		t.Errorf("what was received is taken to be routed after %v", q.routedAfter.Sub(at(0)))
	}
	for tag := uint64(3); tag < 10; tag++ {
		q.received(tag) // the broker holds more
		q.idle(at(5000+int(tag)), tag, 0, at(5000+int(tag)), true)
	}
	if got := q.until(at(6000)); !got.Equal(at(90)) {
		t.Errorf("nothing is missing until %v", got.Sub(at(0)))
	}
	q.idle(at(6000), 9, 9, at(6000), false)
	q.idle(at(6020), 9, 9, at(6020), false) // the broker held nothing any more
	if got := q.until(at(6030)); !got.Equal(at(6020)) {
		t.Errorf("then nothing is missing until %v", got.Sub(at(0)))
	}
}
