package redislink

import (
	"maps"
	"slices"
	"strings"
)

// isPattern reports whether Redis takes a channel for a pattern.
func isPattern(channel string) bool { return strings.ContainsAny(channel, `*?[\`) }

// subscriptions are the channels of a link. Redis sends a message once for each that it matches: for
// its name first, and then for the patterns.
type subscriptions struct {
	names    map[string]bool
	patterns []string
}

func newSubscriptions(channels []string) (s subscriptions) {
	s.names = map[string]bool{}
	for _, c := range channels {
		switch {
		case !isPattern(c):
			s.names[c] = true
		case !slices.Contains(s.patterns, c):
			s.patterns = append(s.patterns, c)
		}
	}
	return s
}

// len returns how many there are.
func (s *subscriptions) len() int { return len(s.names) + len(s.patterns) }

// commands returns what is sent to have them.
func (s *subscriptions) commands() (b []byte) {
	if len(s.names) > 0 {
		b = command(append([]string{"SUBSCRIBE"}, slices.Sorted(maps.Keys(s.names))...)...)
	}
	if len(s.patterns) > 0 {
		b = append(b, command(append([]string{"PSUBSCRIBE"}, s.patterns...)...)...)
	}
	return b
}

// firstBy reports whether a message that came by a pattern comes by no name and by no pattern before it.
func (s *subscriptions) firstBy(pattern, channel string) bool {
	if s.names[channel] {
		return false
	}
	for _, p := range s.patterns {
		if p == pattern || matches(p, channel) {
			return p == pattern
		}
	}
	return true
}

// matches reports whether a channel has a pattern, as Redis sees it. Its time is bounded by the product
// of their lengths.
func matches(pattern, channel string) bool {
	if channel == "" {
		return pattern == "" // for Redis, not even a star matches it
	}
	p, c := 0, 0
	star, again := -1, 0 // the pattern behind the last star, and where in the channel it is tried
	for c < len(channel) {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			star, again = p, c
			continue
		}
		if n, ok := matchOne(pattern[p:], channel[c]); ok {
			p, c = p+n, c+1
			continue
		}
		if star < 0 {
			return false
		}
		again++
		p, c = star, again
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchOne reports whether the beginning of a pattern has a byte, and how long that beginning is.
func matchOne(pattern string, b byte) (n int, ok bool) {
	switch {
	case pattern == "":
		return 0, false
	case pattern[0] == '?':
		return 1, true
	case pattern[0] == '[':
		return matchSet(pattern, b)
	case pattern[0] == '\\' && len(pattern) > 1:
		return 2, pattern[1] == b
	}
	return 1, pattern[0] == b
}

// matchSet is matchOne for a set such as [a-c] or [^x].
func matchSet(pattern string, b byte) (n int, ok bool) {
	i, negated, found := 1, false, false
	if i < len(pattern) && pattern[i] == '^' {
		i, negated = 2, true
	}
	for ; i < len(pattern) && pattern[i] != ']'; i++ {
		switch {
		case pattern[i] == '\\' && i+1 < len(pattern):
			i++
			found = found || pattern[i] == b
		case i+2 < len(pattern) && pattern[i+1] == '-':
			low, high := min(pattern[i], pattern[i+2]), max(pattern[i], pattern[i+2])
			found = found || low <= b && b <= high
			i += 2
		default:
			found = found || pattern[i] == b
		}
	}
	return min(i+1, len(pattern)), found != negated
}
