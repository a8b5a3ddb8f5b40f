package plot

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// size is what a picture may take.
type size struct {
	width, height int // in characters; the height is that of each curve
	ascii         bool
}

// Narrower and lower, nothing can be seen.
const (
	leastWidth  = 24
	leastHeight = 3
)

// draw draws all series, one below the other. now is the bridge's clock.
func (a *answer) draw(s size, now time.Time, unit func(keyword string) string) string {
	s.width, s.height = max(s.width, leastWidth), max(s.height, leastHeight)
	var b strings.Builder
	for i := range a.Series {
		if i > 0 {
			b.WriteByte('\n')
		}
		one := &a.Series[i]
		fmt.Fprintln(&b, fit(a.heading(one, unit(one.Keyword), now), s.width))
		switch {
		case one.isNumber():
			a.curve(&b, one, s)
		case one.isState():
			a.states(&b, one, s)
		}
	}
	return b.String()
}

// heading names a series, with its last value and how old that is.
func (a *answer) heading(s *series, unit string, now time.Time) string {
	name := shown(s.Keyword)
	values := s.values()
	if s.Kind == nil || len(values) == 0 {
		return name + ": nothing is known of it in this time"
	}
	if unit != "" {
		name += " [" + unit + "]"
	}
	at := time.UnixMilli(s.Until).UTC()
	age := now.Sub(at).Round(time.Second)
	return fmt.Sprintf("%s: %s at %s, %s ago", name, shown(text(values[len(values)-1])), at.Format(time.TimeOnly), max(0, age))
}

func (s size) signs() signs {
	if s.ascii {
		return asciiSigns
	}
	return unicodeSigns
}

// curve draws a number.
func (a *answer) curve(b *strings.Builder, s *series, size size) {
	sign := size.signs()
	across, _ := (&canvas{ascii: size.ascii}).dotsPerCell()
	low, high, ok := bounds(a.columns(s, (size.width-2)*across))
	if !ok {
		a.axis(b, s, 0, size.width, sign)
		return
	}
	top, bottom := axisNumber(high, high-low), axisNumber(low, high-low)
	margin := max(utf8.RuneCountInString(top), utf8.RuneCountInString(bottom)) + 1
	margin = min(margin, size.width/2)
	c := newCanvas(size.width-margin-1, size.height, size.ascii)
	if low == high { // a line in the middle
		low, high = low-1, high+1
	}
	// Of several values at one time, other columns may show another one, which is beyond the axis; and the axis may be longer
	// than a number can say.
	row := func(v float64) int {
		share := (v/2 - low/2) / (high/2 - low/2)
		if math.IsNaN(share) {
			return 0
		}
		return int(math.Round(min(1, max(0, share)) * float64(c.rows()-1)))
	}
	columns := a.columns(s, c.columns())
	for x, one := range columns {
		if !one.known {
			continue
		}
		c.column(x, row(one.low), row(one.high))
		if x > 0 && columns[x-1].known { // a step has no hole
			c.column(x, row(columns[x-1].last), row(one.first))
		}
	}
	for y := range size.height {
		label := ""
		switch y {
		case 0:
			label = top
		case size.height - 1:
			label = bottom
		}
		fmt.Fprintf(b, "%*s %c%s\n", margin-1, fit(label, margin-1), sign.side, strings.TrimRight(c.line(y), " "))
	}
	a.axis(b, s, margin, size.width, sign)
}

// states draws a state.
func (a *answer) states(b *strings.Builder, s *series, size size) {
	sign := size.signs()
	fmt.Fprintf(b, " %s\n", strings.TrimRight(a.band(s, size.width-1, sign), " "))
	a.axis(b, s, 0, size.width, sign)
}

// axis draws the time below a series, with a mark at each place where replies are missing.
func (a *answer) axis(b *strings.Builder, s *series, margin, width int, sign signs) {
	n := width - margin - 1
	line := []rune(strings.Repeat(string(sign.tick), n))
	for i := range line {
		from := a.From + (a.To-a.From)*int64(i)/int64(n)
		to := a.From + (a.To-a.From)*int64(i+1)/int64(n)
		if a.hasHole(s, from, to) {
			line[i] = sign.hole
		}
	}
	fmt.Fprintf(b, "%s%c%s\n", strings.Repeat(" ", margin), sign.cornerLine, string(line))
	format := "15:04:05"
	if a.To-a.From > (24 * time.Hour).Milliseconds() {
		format = "Jan 2 15:04"
	}
	left, right := time.UnixMilli(a.From).UTC().Format(format), time.UnixMilli(a.To).UTC().Format(format)+" UTC"
	fmt.Fprintf(b, "%s%s%s\n", left, strings.Repeat(" ", max(1, width-len(left)-len(right))), right)
}

// axisNumber writes a number with as many digits as the span of an axis needs.
func axisNumber(v, span float64) string {
	if v != 0 && (math.Abs(v) >= 1e7 || math.Abs(v) < 1e-4) {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	digits := 0
	if span > 0 {
		digits = min(6, max(0, 2-int(math.Floor(math.Log10(span)))))
	} else {
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// fit cuts a text to a number of characters, and shows that.
func fit(s string, width int) string {
	runes := []rune(s)
	if len(runes) <= width {
		return s
	}
	return string(runes[:max(0, width-1)]) + "~"
}
