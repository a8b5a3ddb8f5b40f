package access

import (
	"math/rand/v2"
	"time"
)

// unknownRetry is the least time after which a newcomer may try again if its identity is unknown.
const unknownRetry = 5 * time.Second

// unavailable refuses a newcomer whose identity cannot be determined at present. It may try again
// after about the given time, or the usual one if that is zero. The times of clients differ, so that
// they do not all return together.
func unavailable(reason string, retry time.Duration) Verdict {
	v := refuse(503, "unknown", reason)
	v.Refusal.RetryAfter = jitter(max(retry, unknownRetry))
	return v
}

// jitter returns between d and 1.8 d.
func jitter(d time.Duration) time.Duration { return d + time.Duration(rand.Int64N(int64(d)*4/5+1)) }

// sooner returns between 0.8 d and d, so that clients that came together are not renewed together.
func sooner(d time.Duration) time.Duration { return d - time.Duration(rand.Int64N(int64(d)/5+1)) }
