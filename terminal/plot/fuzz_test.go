package plot

import (
	"encoding/csv"
	"io"
	"strings"
	"testing"
	"time"
	"unicode"
)

// Whatever a server answers is drawn within the size, without characters that act on a terminal, or refused.
func FuzzAnswer(f *testing.F) {
	f.Add(ramp, uint8(80), uint8(10))
	f.Add(`{"from": 5, "to": 0, "series": [{"keyword": "w\u001b", "kind": "state", "t": [9, 3], "value": ["\u001b[2J", null]}]}`, uint8(0), uint8(0))
	f.Add(`{"from": -9223372036854775808, "to": 9223372036854775807, "gaps": [[1, 0]], "series": [{"keyword": "w.n", "kind": "number", "until": 1,
		"t": [0, 9223372036854775807], "last": ["NaN", 1e308], "min": [-1e308, null], "max": [1e308, "Infinity"]}]}`, uint8(30), uint8(4))
	f.Add(`{"to": 9, "series": [{"kind": "number", "until": 9, "t": [0, 4], "last": [0, 5e-324]}]}`, uint8(30), uint8(4))
	f.Fuzz(func(t *testing.T, text string, width, height uint8) {
		a, err := parse([]byte(text))
		if err != nil || len(a.Series) > 4 {
			return
		}
		none := func(string) string { return "" }
		for _, ascii := range []bool{true, false} {
			drawn := a.draw(size{width: int(width), height: int(height), ascii: ascii}, time.UnixMilli(100_000), none)
			if at := strings.IndexFunc(drawn, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }); at >= 0 {
				t.Errorf("it has a control character: %q", drawn)
			}
			if lines := strings.Count(drawn, "\n"); lines > len(a.Series)*(max(int(height), leastHeight)+8) {
				t.Errorf("it has %d lines for a height of %d", lines, height)
			}
		}
		var out strings.Builder
		var names []string
		for _, s := range a.Series {
			names = append(names, s.Keyword)
		}
		if err := a.writeCSV(&out, names, true, none); err != nil {
			t.Fatal(err)
		}
		if _, err := csv.NewReader(strings.NewReader(out.String())).ReadAll(); err != nil && err != io.EOF {
			t.Errorf("it is no CSV: %v in %q", err, out.String())
		}
	})
}
