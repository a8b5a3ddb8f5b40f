package main

import (
	"os"
	"strings"
	"testing"
)

// promises returns the table of docs/operating.md: by event, what happens to the replies in each column.
func promises(t *testing.T) map[string]map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]map[string]string{}
	var columns []string
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case len(cells) > 1 && cells[0] == "what happens":
			columns = cells
		case columns == nil || len(cells) != len(columns):
			columns = nil
		case strings.Trim(cells[0], "-") != "":
			table[cells[0]] = map[string]string{}
			for i, column := range columns[1:] {
				table[cells[0]][strings.Trim(column, "`")] = cells[i+1]
			}
		}
	}
	return table
}
