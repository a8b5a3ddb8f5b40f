package amqpx

import (
	"math/rand/v2"
	"time"
)

// The pause between two attempts to connect: it doubles from the first to the
// last, and each is spread over half its length so that a hundred bridges do
// not return to a broker in step.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 10 * time.Second
)

type backoff struct{ pause time.Duration }

// next is how long to wait before the next attempt: between half and the whole
// of 0.2 s, 0.4 s, 0.8 s ... 10 s.
func (b *backoff) next() time.Duration {
	switch {
	case b.pause == 0:
		b.pause = firstPause
	case b.pause < lastPause:
		b.pause = min(2*b.pause, lastPause)
	}
	return b.pause/2 + rand.N(b.pause/2)
}

// last makes the next pause the longest: what failed will not mend itself soon.
func (b *backoff) last() { b.pause = lastPause }

// soon makes the next pauses short ones.
func (b *backoff) soon() { b.pause = min(b.pause, 4*firstPause) }

// reset makes the next pause the first one.
func (b *backoff) reset() { b.pause = 0 }
