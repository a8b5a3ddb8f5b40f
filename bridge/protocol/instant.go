package protocol

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// maxMilliseconds bounds a time as a number: the last one that JavaScript knows.
const maxMilliseconds = 8.64e15

// Instant reads a time: an RFC 3339 string, a number of milliseconds since 1970, or a span before
// now such as "-6h" or "-90m". Without the field, or with null, it returns the fallback.
func (f Fields) Instant(name string, now, fallback time.Time) (time.Time, error) {
	const forms = `write a span before now such as "-6h", a time such as "2026-11-21T03:38:40Z", or milliseconds since 1970`
	raw, ok := f[name]
	if !ok || string(raw) == "null" {
		return fallback, nil
	}
	switch Kind(raw) {
	case "a string":
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return fallback, fmt.Errorf("%q is not a time; %s", name, forms)
		}
		if strings.HasPrefix(text, "-") {
			span, err := time.ParseDuration(text)
			if err != nil {
				return fallback, fmt.Errorf(`%q is not a span of time; write it with a unit of h, m or s, such as "-6h" or "-1h30m"`, name)
			}
			return now.Add(span), nil
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return fallback, fmt.Errorf("%q is not a time; %s", name, forms)
		}
		return at, nil
	case "a number":
		var number float64
		if err := json.Unmarshal(raw, &number); err != nil || math.Abs(number) > maxMilliseconds {
			return fallback, fmt.Errorf("%q is %s, which is no time; %s", name, describe(raw), forms)
		}
		return time.UnixMilli(int64(number)), nil
	}
	return fallback, fmt.Errorf("%q is %s; %s", name, Kind(raw), forms)
}
