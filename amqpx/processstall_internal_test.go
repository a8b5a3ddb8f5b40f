package amqpx

import (
	"testing"
	"time"
)

func TestAStallIsInDoubtUntilALaterRequestIsAnswered(t *testing.T) {
	const period = 30 * time.Millisecond
	var w stallWatch
	if since := w.since(at(10_000), at(0)); !since.IsZero() {
		t.Errorf("before the first tick it stalled since %v", since)
	}
	w.tick(at(0), period)
	w.tick(at(200), period) // late, and no stall
	if since := w.since(at(300), at(0)); !since.IsZero() {
		t.Errorf("it stalled since %v", since.Sub(at(0)))
	}
	// Whatever asks first when the process wakes finds out, even before the next tick.
	if since := w.since(at(5000), at(0)); !since.Equal(at(200)) {
		t.Errorf("it stalled since %v", since.Sub(at(0)))
	}
	w.tick(at(5010), period)
	w.tick(at(9000), period)
	for answered, want := range map[int]time.Time{0: at(200), 4999: at(200), 5000: at(5010), 8999: at(5010), 9000: {}} {
		if since := w.since(at(9001), at(answered)); !since.Equal(want) {
			t.Errorf("answered at %d ms: it stalled since %v, want %v", answered, since.Sub(at(0)), want.Sub(at(0)))
		}
	}
}

func TestOfManyStallsTheFirstIsRemembered(t *testing.T) {
	var w stallWatch
	for i := range 10 * maxStalls {
		w.tick(at(1000*i), time.Millisecond)
	}
	last := at(1000 * (10*maxStalls - 1))
	if since := w.since(last, at(0)); !since.Equal(at(0)) || len(w.stalls) > maxStalls {
		t.Errorf("of %d stalls the first began at %v", len(w.stalls), since.Sub(at(0)))
	}
	if since := w.since(last, last); !since.IsZero() {
		t.Errorf("after an answer it stalled since %v", since.Sub(at(0)))
	}
	w.tick(last.Add(2*stallsFor), time.Millisecond)
	if len(w.stalls) > 2 {
		t.Errorf("%d stalls of long ago are remembered", len(w.stalls))
	}
}

func TestWhatIsReadAfterAStallMovesNoGap(t *testing.T) {
	const prefetch = 4
	q := newLossBound(prefetch, 10*time.Millisecond, at(0), time.Time{})
	q.idle(at(100), 0, 0, false)
	// The process stalls until 5000, and then reads what was in the buffers.
	q.received(1)
	q.idle(at(5000), 1, 0, true)
	q.received(2)
	if !q.routedAfter.Equal(at(100)) {
		t.Errorf("what was received is taken to be routed after %v", q.routedAfter.Sub(at(0)))
	}
	for tag := uint64(3); tag < 10; tag++ {
		q.received(tag) // the broker holds more
		q.idle(at(5000+int(tag)), tag, 0, true)
	}
	if got := q.until(at(6000)); !got.Equal(at(90)) {
		t.Errorf("nothing is missing until %v", got.Sub(at(0)))
	}
	q.idle(at(6000), 9, 9, false)
	q.idle(at(6020), 9, 9, false) // the broker held nothing any more
	if got := q.until(at(6030)); !got.Equal(at(6020)) {
		t.Errorf("then nothing is missing until %v", got.Sub(at(0)))
	}
}
