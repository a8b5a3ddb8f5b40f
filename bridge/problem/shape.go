package problem

import (
	"hash/fnv"
	"regexp"
	"strings"
)

// measured finds what differs when an actor says the same again: numbers with a point or an exponent,
// numbers before a unit, dates and times. Whole numbers without a unit name things ("motor 3 stalled"),
// and addresses and versions do ($2). The page has the same expression (page/core/problems.js).
var measured = regexp.MustCompile(`(^|[ \t\n=([,;:"'<>~])(?:(\d+\.\d+\.[\d.]*\d)|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?Z?|\d+(?::\d\d)+(?:\.\d+)?|` +
	`[-+]?(?:\d+\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)|[-+]?\d+( ?(?:[%‰°]|(?:` + units + `)\b)| [KCFVAWBmsh]\b))`)

const units = `percent|deg\w*|arc\w+|rad|mag|[kKMGT]i?B|bytes?|[kMG]?Hz|[mkh]?Pa|m?bar|Torr|psi|[mk][VAW]|[munk]m|m/s|km/h|mph|[mu]s|sec|seconds?|min|minutes?|hours?|days?|rpm|ADU|dB|px|pixels?`

// sameText returns what texts have in common that differ only in measured values.
func sameText(text string) string {
	if !strings.ContainsAny(text, "0123456789") {
		return text
	}
	return measured.ReplaceAllString(text, "$1$2#$3")
}

// shapeOf returns a hash of a text without any of its digits.
func shapeOf(text string) uint64 {
	h := fnv.New64a()
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r >= '0' && r <= '9' }) {
		_, _ = h.Write([]byte(part)) // it never fails
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}
