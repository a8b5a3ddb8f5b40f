package plot

import "math"

// column is what a number was in a column of dots.
type column struct {
	low, high float64
	first     float64 // what held when the column begins, or came first in it
	last      float64 // what held when it ends
	known     bool
}

// columns returns what a number was in each of n equal parts of the time. A value holds until the next one.
func (a *answer) columns(s *series, n int) []column {
	all := make([]column, n)
	width := float64(a.To-a.From) / float64(n)
	next, held := 0, math.NaN()
	for i := range all {
		from, to := a.From+int64(float64(i)*width), a.From+int64(float64(i+1)*width)
		c := &all[i]
		for ; next < len(s.T) && s.T[next] <= from; next++ {
			held = drawable(s, next)
		}
		if !math.IsNaN(held) && a.isKnown(s, from) {
			c.add(held, held, held)
		}
		for ; next < len(s.T) && s.T[next] < to; next++ {
			if held = drawable(s, next); math.IsNaN(held) {
				continue
			}
			low, high := held, held
			if len(s.Min) > 0 {
				if f, ok := number(s.Min[next]); ok {
					low = f
				}
				if f, ok := number(s.Max[next]); ok {
					high = f
				}
			}
			c.add(low, high, held)
		}
	}
	return all
}

// drawable returns a value, or NaN if it is not a number.
func drawable(s *series, i int) float64 {
	if f, ok := number(s.Last[i]); ok {
		return f
	}
	return math.NaN()
}

func (c *column) add(low, high, last float64) {
	if !c.known {
		*c = column{low, high, last, last, true}
		return
	}
	c.low, c.high, c.last = min(c.low, low), max(c.high, high), last
}

// bounds returns the lowest and the highest value of all columns.
func bounds(all []column) (low, high float64, ok bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, c := range all {
		if c.known {
			low, high, ok = min(low, c.low), max(high, c.high), true
		}
	}
	return low, high, ok
}
