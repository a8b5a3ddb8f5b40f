package plot

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"time"
)

// timeFormat is ISO 8601 with milliseconds, as the page's tables have it.
const timeFormat = "2006-01-02T15:04:05.000Z"

// writeCSV writes a row for each time at which a keyword changed, with the columns in the order in which the keywords
// were asked for. An empty cell is a keyword that did not change then. With extremes, each keyword has two more columns:
// the least and the greatest value of a span that the bridge keeps as a summary.
func (a *answer) writeCSV(w io.Writer, keywords []string, extremes bool, unit func(keyword string) string) error {
	perKeyword := 1
	if extremes {
		perKeyword = 3
	}
	header := []string{"time"}
	for _, name := range keywords {
		if u := unit(name); u != "" {
			name += " [" + u + "]"
		}
		header = append(header, name)
		if extremes {
			header = append(header, name+" min", name+" max")
		}
	}
	rows := map[int64][]string{}
	for i := range a.Series {
		s := &a.Series[i]
		for k, name := range keywords {
			if name == s.Keyword {
				a.addCells(rows, s, 1+k*perKeyword, len(header), extremes)
			}
		}
	}
	out := csv.NewWriter(w)
	_ = out.Write(header) // Error returns it
	for _, t := range slices.Sorted(maps.Keys(rows)) {
		rows[t][0] = time.UnixMilli(t).UTC().Format(timeFormat)
		_ = out.Write(rows[t])
	}
	out.Flush()
	return out.Error()
}

// addCells adds the values of a series. Of a keyword that was both numbers and other values there are two series, each of
// which is null while the other one has the value.
func (a *answer) addCells(rows map[int64][]string, s *series, at, columns int, extremes bool) {
	values := s.values()
	for i, t := range s.T {
		if t < a.From { // what held at the beginning
			t = a.From
		}
		row := rows[t]
		if row == nil {
			row = make([]string, columns)
			rows[t] = row
		}
		if row[at] == "" || row[at] == "null" {
			row[at] = text(values[i])
		}
		if !extremes || !s.isNumber() {
			continue
		}
		row[at+1], row[at+2] = orLast(s.Min, values, i), orLast(s.Max, values, i)
	}
}

func orLast(extreme, last []json.RawMessage, i int) string {
	if len(extreme) > 0 && string(extreme[i]) != "null" {
		return text(extreme[i])
	}
	return text(last[i])
}
