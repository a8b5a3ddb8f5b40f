package terminal

import (
	"strings"
	"unicode/utf8"
)

// table returns rows in columns, the first of which is their heading. If they are wider than the terminal, each row
// becomes a block of lines, a column a line.
func table(width int, rows [][]string) string {
	columns := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			columns[i] = max(columns[i], utf8.RuneCountInString(cell))
		}
	}
	total := 2 * (len(columns) - 1)
	for _, w := range columns {
		total += w
	}
	if width > 0 && total > width {
		return folded(rows)
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", columns[i]-utf8.RuneCountInString(cell)+2))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// folded returns each row as its first cell, and below it the others with their headings.
func folded(rows [][]string) string {
	var b strings.Builder
	for _, row := range rows[1:] {
		b.WriteString(row[0] + "\n")
		for i, cell := range row[1:] {
			if cell != "" {
				b.WriteString("  " + strings.ToLower(rows[0][i+1]) + ": " + cell + "\n")
			}
		}
	}
	return b.String()
}
