package engine

import (
	"fmt"
	"math"
)

const (
	// burst is how many seconds' worth of messages a quiet client may save up.
	burst = 10
	// inflatedPerMessage is how many bytes of decompressed data count as one more
	// message.
	inflatedPerMessage = 16 << 10
	// fragmentsPerMessage is how many fragments count as one more message.
	fragmentsPerMessage = 16
)

// budget bounds one client's messages: so many a second, and a burst.
type budget struct {
	left int32
	at   tick
}

// most bounds what a client can save up, beyond any real rate.
func most(rate int) int64 { return min(int64(rate), math.MaxInt32/burst) * burst }

// full is the budget of a client that has just come.
func fullBudget(rate int, now tick) budget { return budget{int32(most(rate)), now} }

// take uses one message of the budget. It is false when none is left.
func (b *budget) take(rate int, now tick) bool {
	if now != b.at {
		const ticksPerSecond = int64(second / tickLength)
		// Ten seconds fill the budget, so no product can overflow.
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

// charge takes up to n messages from the budget. It stops at zero, so that one large
// message does not cost a slow client its next one.
func (b *budget) charge(n int) { b.left -= int32(min(int64(n), int64(max(b.left, 0)))) }

func tooManyMessages(rate int) string {
	return fmt.Sprintf("too many messages: more than %d a second", rate)
}
