package engine

import (
	"fmt"
	"math"
)

const (
	// burstSeconds is how many seconds' worth of messages a burst may have.
	burstSeconds = 10
	// inflatedBytesPerMessage is how many bytes of inflated data count as one more message.
	inflatedBytesPerMessage = 16 << 10
	// fragmentsPerMessage is how many fragments count as one more message.
	fragmentsPerMessage = 16
)

// rateLimiter is a token bucket for one client's messages.
type rateLimiter struct {
	tokens  int32
	updated tick
}

// maxTokens bounds the burst, far beyond any sensible rate.
func maxTokens(rate int) int64 { return min(int64(rate), math.MaxInt32/burstSeconds) * burstSeconds }

// newRateLimiter returns a full bucket.
func newRateLimiter(rate int, now tick) rateLimiter { return rateLimiter{int32(maxTokens(rate)), now} }

// allow takes a token. It returns false if none is left.
func (b *rateLimiter) allow(rate int, now tick) bool {
	if now != b.updated {
		const ticksPerSecond = int64(second / tickLength)
		// Ten seconds fill the bucket, so no product can overflow.
		earned := min(int64(now-b.updated), burstSeconds*ticksPerSecond) * (maxTokens(rate) / burstSeconds) / ticksPerSecond
		b.tokens = int32(min(int64(b.tokens)+earned, maxTokens(rate)))
		b.updated = now
	}
	if b.tokens <= 0 {
		return false
	}
	b.tokens--
	return true
}

// charge takes up to n tokens. It stops at zero, so that one large message does not cost a
// slow client its next one.
func (b *rateLimiter) charge(n int) { b.tokens -= int32(min(int64(n), int64(max(b.tokens, 0)))) }

func tooManyMessages(rate int) string {
	return fmt.Sprintf("too many messages: more than %d a second", rate)
}
