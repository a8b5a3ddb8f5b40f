package engine

import (
	"fmt"
	"math"
)

const (
	// burst is for how many seconds' worth of messages a quiet client may save up.
	burst = 10
	// inflatedPerMessage is how many bytes of a message that was compressed count as
	// one message more.
	inflatedPerMessage = 16 << 10
	// fragmentsPerMessage is how many fragments of a message do.
	fragmentsPerMessage = 16
)

// budget bounds one client's messages: so many a second, and a burst.
type budget struct {
	left int32
	at   tick
}

// most is what a client can save up. No client sends as many as a rate beyond
// that allows.
func most(rate int) int64 { return min(int64(rate), math.MaxInt32/burst) * burst }

// full is the budget of a client that has just come.
func fullBudget(rate int, now tick) budget { return budget{int32(most(rate)), now} }

// take uses one message of the budget. It is false when none is left.
func (b *budget) take(rate int, now tick) bool {
	if now != b.at {
		const ticksPerSecond = int64(second / tickLength)
		// What is earned in ten seconds fills it, so that no product can overflow.
		earned := min(int64(now-b.at), burst*ticksPerSecond) * (most(rate) / burst) / ticksPerSecond
		b.left = int32(min(int64(b.left)+earned, most(rate)))
		b.at = now
	}
	if b.left <= 0 {
		return false
	}
	b.left--
	return true
}

// charge uses up to n messages of the budget: it does not go below nothing, so that
// one large message does not cost a slow client its next one.
func (b *budget) charge(n int) { b.left -= int32(min(int64(n), int64(max(b.left, 0)))) }

func tooManyMessages(rate int) string {
	return fmt.Sprintf("too many messages: more than %d a second", rate)
}
