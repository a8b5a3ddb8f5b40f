package amqpx

import (
	"testing"
	"time"
)

// at returns a time in milliseconds.
func at(ms int) time.Time { return time.UnixMilli(int64(1_000_000 + ms)) }

func TestAGapBeginsWhereNothingOlderCanBeMissing(t *testing.T) {
	const prefetch = 4
	for name, c := range map[string]struct {
		play func(*lossBound)
		want time.Time // without the 10 ms of transit
	}{
		"nothing ever came, and heartbeats did": {func(q *lossBound) { q.idle(at(1), 0, 0, at(1), false) }, at(1000)},
		"the consumer kept pace": {func(q *lossBound) {
			q.received(1)
			q.idle(at(500), 1, 1, at(500), false)
		}, at(1000)},
		"it broke before anything was handed over": {func(*lossBound) {}, at(0)},
		"it broke within a delivery": {func(q *lossBound) {
			q.idle(at(300), 0, 0, at(300), false)
			q.received(1)
		}, at(300)},
		"the prefetch was used up, and is": {func(q *lossBound) {
			q.idle(at(200), 0, 0, at(200), false)
			for tag := range uint64(4) {
				q.received(tag + 1)
			}
			q.idle(at(600), 4, 4, at(600), false)
		}, at(200)},
		"the broker has sent all that it held": {func(q *lossBound) {
			q.idle(at(200), 0, 0, at(200), false)
			for tag := range uint64(4) {
				q.received(tag + 1)
			}
			q.idle(at(600), 4, 4, at(600), false)
			q.received(5)
			q.idle(at(605), 5, 5, at(605), false)
			q.received(6)
			q.idle(at(620), 6, 6, at(620), false)
		}, at(1000)},
		"the network holds up the acknowledgements": {func(q *lossBound) {
			q.idle(at(200), 0, 0, at(200), false)
			for tag := range uint64(4) {
				q.received(tag + 1)
			}
			q.idle(at(600), 4, 4, at(550), false)
			q.idle(at(900), 4, 4, at(550), false)
		}, at(200)},
		"the broker sends as fast as it may": {func(q *lossBound) {
			q.idle(at(200), 0, 0, at(200), false)
			for tag := range uint64(40) {
				q.received(tag + 1)
				if tag%4 == 3 {
					q.idle(at(300+10*int(tag)), tag+1, tag+1, at(300+10*int(tag)), false)
				}
			}
		}, at(200)},
	} {
		q := newLossBound(prefetch, 10*time.Millisecond, at(0), time.Time{})
		c.play(&q)
		if got := q.until(at(1000)); !got.Equal(c.want.Add(-10 * time.Millisecond)) {
			t.Errorf("%s: nothing is missing until %v, want %v", name, got.Sub(at(0)), c.want.Add(-10*time.Millisecond).Sub(at(0)))
		}
	}
}

func TestWhatWaitedInAKeptQueueMayBeOlderThanTheLink(t *testing.T) {
	q := newLossBound(4, 10*time.Millisecond, at(100), at(10))
	q.idle(at(110), 0, 0, at(110), false)
	if got := q.until(at(115)); !got.Equal(at(10).Add(-10 * time.Millisecond)) {
		t.Errorf("nothing is missing until %v", got.Sub(at(0)))
	}
}
