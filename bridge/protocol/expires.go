package protocol

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// maxAhead is how far ahead a command's expires_at may be. A larger value must be in other units
// or from another clock.
const maxAhead = time.Hour

// maxSeconds bounds expires_at as a number, in seconds since 1970.
const maxSeconds = 1e15

// ExpiresAt reads the time until which a command may be sent: a number of seconds since 1970, or
// an RFC 3339 string, as in JavaScript's JSON. Without the field it returns the zero time.
func (f Fields) ExpiresAt(now time.Time) (time.Time, error) {
	const name, what = "expires_at", "a number of seconds since 1970, or a time such as 2026-11-21T03:38:40.123Z"
	raw, ok := f[name]
	if !ok || string(raw) == "null" {
		return time.Time{}, nil
	}
	var at time.Time
	var number float64
	switch Kind(raw) {
	case "a string":
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return at, fmt.Errorf("%q is %s, but must be %s", name, Kind(raw), what)
		}
		var err error
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			return at, fmt.Errorf("%q is not a time; write %s", name, what)
		}
	case "a number":
		if err := json.Unmarshal(raw, &number); err != nil || math.Abs(number) > maxSeconds {
			return at, fmt.Errorf("%q is %s, but must be %s", name, describe(raw), what)
		}
		whole, part := math.Modf(number)
		at = time.Unix(int64(whole), int64(part*1e9))
	default:
		return at, fmt.Errorf("%q is %s, but must be %s", name, Kind(raw), what)
	}
	if ahead := at.Sub(now); ahead > maxAhead {
		return at, fmt.Errorf("%q is more than an hour ahead of the bridge's clock; write %s, by the bridge's clock (the time in hello)", name, what)
	}
	return at, nil
}
