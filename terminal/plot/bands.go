package plot

import (
	"strings"
	"unicode"
)

// signs are what a picture is drawn with beside its dots.
type signs struct{ change, band, many, hole, cornerLine, tick, side rune }

var (
	unicodeSigns = signs{change: '▏', band: '─', many: '▒', hole: '╳', cornerLine: '└', tick: '─', side: '┤'}
	asciiSigns   = signs{change: '|', band: '-', many: '#', hole: 'x', cornerLine: '+', tick: '-', side: '|'}
)

// band returns the states of a keyword as a line of characters: each begins with a mark, and has its name where there is
// room. Where there are several in a character, that has a sign of its own.
func (a *answer) band(s *series, width int, sign signs) string {
	cells := make([]rune, width)
	step := float64(a.To-a.From) / float64(width)
	next := 0
	var held string
	begin := -1 // of the band that holds, or -1
	name := func(end int) {
		if begin < 0 {
			return
		}
		label := []rune(shown(held))
		if room := end - begin - 1; len(label) > room {
			label = label[:max(0, room)]
		}
		copy(cells[begin+1:end], label)
		begin = -1
	}
	for i := range cells {
		from, to := a.From+int64(float64(i)*step), a.From+int64(float64(i+1)*step)
		cells[i] = ' '
		changes := 0
		for ; next < len(s.T) && (s.T[next] < to || i == width-1 && s.T[next] <= to); next++ {
			if s.T[next] > from {
				changes++
			}
			if value := text(s.Value[next]); value != held || begin < 0 {
				name(i)
				held = value
			}
		}
		switch {
		case next == 0 || changes == 0 && !a.isKnown(s, from):
			name(i)
		case changes > 1:
			name(i)
			cells[i] = sign.many
		case begin < 0:
			begin, cells[i] = i, sign.change
		default:
			cells[i] = sign.band
		}
	}
	name(width)
	return string(cells)
}

// shown returns a text without what would move the cursor.
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
