package amqpx

import (
	"math/rand/v2"
	"time"
)

// The pause between two rounds of attempts: it doubles from the first to the
// last, and each is spread over half its length so that a hundred bridges do
// not return to a broker in step.
//
// The last one is short: an attempt at an address where nothing listens costs no more
// than a question whether something does, and is itself the answer.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 2 * time.Second
)

type backoff struct {
	pause  time.Duration
	jitter func(time.Duration) time.Duration // as in [Config]; nil is random
}

// next is how long to wait before the next attempt: between half and the whole
// of 0.2 s, 0.4 s, 0.8 s, 1.6 s, 2 s.
func (b *backoff) next() time.Duration {
	switch {
	case b.pause == 0:
		b.pause = firstPause
	case b.pause < lastPause:
		b.pause = min(2*b.pause, lastPause)
	}
	if b.jitter == nil {
		b.jitter = randomBelow
	}
	return b.pause/2 + b.jitter(b.pause/2)
}

func randomBelow(d time.Duration) time.Duration { return rand.N(d) }

// soon makes the next pauses short ones.
func (b *backoff) soon() { b.pause = min(b.pause, 4*firstPause) }

// reset makes the next pause the first one.
func (b *backoff) reset() { b.pause = 0 }
