package plot

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/terminal"
)

// fakeLink answers requests with what a test says.
type fakeLink struct {
	terminal.Link
	answers map[string]string
	asked   map[string]map[string]any
}

func (f *fakeLink) Ask(_ context.Context, op string, fields map[string]any) (json.RawMessage, error) {
	f.asked[op] = fields
	return json.RawMessage(f.answers[op]), nil
}
func (f *fakeLink) Now() time.Time { return time.UnixMilli(101_000) }
func (f *fakeLink) Close() error   { return nil }

// run plots an answer, and returns the output and the request.
func run(t *testing.T, history string, o Options, width int) (string, map[string]any) {
	t.Helper()
	link := &fakeLink{asked: map[string]map[string]any{}, answers: map[string]string{
		"history": history,
		"model": `{"keywords": {"wind": {"type": "number", "unit": "m/s"},
			"axes": {"type": "array", "items": {"type": "object", "members": {"torque": {"type": "number", "unit": "Nm"}}}}}}`,
	}}
	var out bytes.Buffer
	env := &terminal.Env{Stdout: &out, Stderr: io.Discard, Width: func() int { return width },
		Dial: func(context.Context) (terminal.Link, error) { return link, nil }}
	if err := Run(t.Context(), env, o); err != nil {
		t.Fatal(err)
	}
	return out.String(), link.asked["history"]
}

const ramp = `{"from": 0, "to": 100000, "gaps": [], "evicted": [], "series": [{"keyword": "w.wind", "kind": "number", "bucket_ms": 0,
	"until": 100000, "silent": [], "t": [0, 25000, 50000, 75000], "last": [0, 1, 2, 3]}]}`

func TestANumberIsACurve(t *testing.T) {
	got, asked := run(t, ramp, Options{Keywords: []string{"w.wind"}, Height: 4, ASCII: true, Since: "100s"}, 40)
	want := `w.wind [m/s]: 3 at 00:01:40, 1s ago
3.00 |                         *********
     |                 *********
     |        **********
0.00 |*********
     +----------------------------------
00:00:00                    00:01:40 UTC
`
	if got = trimmed(got); got != trimmed(want) {
		t.Errorf("got\n%s", got)
	}
	if asked["from"] != "-100s" || asked["points"] != 5000 {
		t.Errorf("asked %v", asked)
	}
}

func TestWhatIsNotKnownIsNotDrawn(t *testing.T) {
	const history = `{"from": 0, "to": 100000, "gaps": [[20000, 40000], [60000, 60001]], "series": [{"keyword": "w.wind", "kind": "number",
		"until": 80000, "silent": [[50000, 55000]], "t": [0], "last": [5]}]}`
	got, _ := run(t, history, Options{Keywords: []string{"w.wind"}, Height: 3, ASCII: true}, 28)
	lines := strings.Split(got, "\n")
	if want := "  |*****     *** * *****"; lines[2] != want { // nothing after it was heard last
		t.Errorf("the curve is %q, want %q", lines[2], want)
	}
	if want := "  +-----xxxxx--xx-x---------"; lines[4] != want {
		t.Errorf("the marks are %q, want %q", lines[4], want)
	}
}

func TestAStateIsABandWithItsName(t *testing.T) {
	const history = `{"from": 0, "to": 100000, "gaps": [[30000, 40000]], "series": [{"keyword": "d.door", "kind": "state",
		"until": 90000, "silent": [], "t": [0, 60000, 81000, 81500], "value": ["open", "closed\u001b[2J", true, false]}]}`
	got, _ := run(t, history, Options{Keywords: []string{"d.door"}, ASCII: true}, 41)
	lines := strings.Split(got, "\n")
	if want := " |open-------    |open---|closed?#|fal"; lines[1] != want {
		t.Errorf("the band is %q, want\n              %q", lines[1], want)
	}
	if strings.Contains(got, "\x1b") {
		t.Error("a value moves the cursor")
	}
}

func TestBrailleHasEightDotsInACharacter(t *testing.T) {
	c := newCanvas(2, 1, false)
	c.column(0, 0, 3)
	c.column(1, 0, 0)
	if got := c.line(0); got != "⣇ " {
		t.Errorf("got %q", got)
	}
}

func TestAValueThatStaysIsALineInTheMiddle(t *testing.T) {
	const history = `{"from": 0, "to": 1000, "gaps": [], "series": [{"keyword": "w.wind", "kind": "number", "until": 1000, "silent": [], "t": [0], "last": [7]}]}`
	got, _ := run(t, history, Options{Keywords: []string{"w.wind"}, Height: 3, ASCII: true}, 30)
	if lines := strings.Split(got, "\n"); !strings.Contains(lines[2], "****") {
		t.Errorf("got\n%s", got)
	}
}

func TestOfAnUnknownKeywordNothingIsDrawn(t *testing.T) {
	got, _ := run(t, `{"from": 0, "to": 1000, "gaps": [], "series": [{"keyword": "w.wnd", "kind": null}]}`, Options{Keywords: []string{"w.wnd"}}, 80)
	if got != "w.wnd: nothing is known of it in this time\n" {
		t.Errorf("got %q", got)
	}
}

func TestEveryWidthIsDrawn(t *testing.T) {
	for width := range 120 {
		got, _ := run(t, ramp, Options{Keywords: []string{"w.wind"}}, width)
		for line := range strings.SplitSeq(got, "\n") {
			if n := len([]rune(line)); width > leastWidth && n > width {
				t.Errorf("a line has %d of %d characters: %q", n, width, line)
			}
		}
	}
}

// trimmed returns the lines without blanks at their ends.
func trimmed(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
