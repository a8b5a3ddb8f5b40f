package access

import (
	"errors"
	"math/rand/v2"
	"time"
	"unicode"
	"unicode/utf8"
)

// nameMaxLength is that of a principal's name, in bytes: it is in headers, logs and paths.
const nameMaxLength = 255

// unknownRetry is when a newcomer may try again that nobody could decide about.
const unknownRetry = 5 * time.Second

// unavailable refuses a newcomer because nobody can say now who it is: not for what it is or
// shows. It may come again after about the given time, or the usual one if that is zero. The
// times of clients differ, so that they do not all come again together.
func unavailable(reason string, retry time.Duration) Verdict {
	v := refuse(503, "unknown", reason)
	v.Refusal.RetryAfter = jitter(max(retry, unknownRetry))
	return v
}

// jitter returns between d and 1.8 d.
func jitter(d time.Duration) time.Duration { return d + time.Duration(rand.Int64N(int64(d)*4/5+1)) }

// sooner returns between 0.8 d and d, so that those who came together are not renewed together.
func sooner(d time.Duration) time.Duration { return d - time.Duration(rand.Int64N(int64(d)/5+1)) }

// checkPrincipalName returns why a text cannot be the name of a principal.
func checkPrincipalName(name string) error {
	switch {
	case name == "":
		return errors.New("is missing or is not a text")
	case len(name) > nameMaxLength:
		return errors.New("is longer than 255 bytes")
	case !utf8.ValidString(name):
		return errors.New("is not UTF-8")
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return errors.New("has a control character")
		}
	}
	return nil
}
