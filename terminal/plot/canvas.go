package plot

import "strings"

// canvas is a picture of dots, each of which is on or off.
type canvas struct {
	ascii         bool
	width, height int    // in characters
	dots          []bool // by row, from the top
}

func newCanvas(width, height int, ascii bool) *canvas {
	c := &canvas{ascii: ascii, width: width, height: height}
	c.dots = make([]bool, c.columns()*c.rows())
	return c
}

// dotsPerCell returns how many dots a character has, across and down.
func (c *canvas) dotsPerCell() (x, y int) {
	if c.ascii {
		return 1, 1
	}
	return 2, 4
}

func (c *canvas) columns() int { x, _ := c.dotsPerCell(); return c.width * x }
func (c *canvas) rows() int    { _, y := c.dotsPerCell(); return c.height * y }

// column switches the dots of a column on, between two rows; row 0 is at the bottom.
func (c *canvas) column(x, from, to int) {
	for y := min(from, to); y <= max(from, to); y++ {
		c.dots[(c.rows()-1-y)*c.columns()+x] = true
	}
}

// brailleBits are the bits of the dots in a Braille pattern, by row and column.
var brailleBits = [4][2]rune{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

// line returns a line of characters.
func (c *canvas) line(row int) string {
	var b strings.Builder
	across, down := c.dotsPerCell()
	for x := range c.width {
		if c.ascii {
			if c.dots[row*c.columns()+x] {
				b.WriteByte('*')
			} else {
				b.WriteByte(' ')
			}
			continue
		}
		pattern := rune(0)
		for dy := range down {
			for dx := range across {
				if c.dots[(row*down+dy)*c.columns()+x*across+dx] {
					pattern |= brailleBits[dy][dx]
				}
			}
		}
		if pattern == 0 {
			b.WriteByte(' ') // a blank pattern is as wide, but is no blank where text is copied
		} else {
			b.WriteRune(0x2800 + pattern)
		}
	}
	return b.String()
}
