package bench

import (
	"bytes"
	"strings"
	"testing"
)

func TestARowIsOKIfItReachesItsGoal(t *testing.T) {
	two := []float64{1, 2, 3}
	for _, test := range []struct {
		name     string
		measured float64
		to       limit
		ok       bool
	}{
		{"a ratio within", 2.5, limit{by: Ratio, bound: 1.25}, true},
		{"a ratio beyond", 2.51, limit{by: Ratio, bound: 1.25}, false},
		{"a ratio high enough", 1.9, limit{by: Ratio, bound: 0.95, atLeast: true}, true},
		{"a ratio too low", 1.8, limit{by: Ratio, bound: 0.95, atLeast: true}, false},
		{"a difference within", 2.5, limit{by: Difference, bound: 0.5}, true},
		{"a difference beyond", 2.6, limit{by: Difference, bound: 0.5}, false},
		{"a value within", 450, limit{by: Value, bound: 450}, true},
		{"a value beyond", 451, limit{by: Value, bound: 450}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := row("x", "x", "us", []float64{test.measured}, "baseline", two, test.to)
			if r.OK != test.ok {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestTheTableHasARowForEachFigure(t *testing.T) {
	r := newReport(5, "embedded broker")
	r.Rows = []Row{
		row("burst", "CPU per delivery", "us", []float64{0.12}, "coalesced baseline", []float64{0.1}, limit{by: Ratio, bound: 1.25}),
		row("burst", "deliveries/s", "/s", []float64{1234567}, "coalesced baseline", []float64{2000000}, limit{by: Ratio, bound: 0.95, atLeast: true}),
		row("latency", "p50", "ms", []float64{0.25}, "bare consumer", []float64{0.1}, limit{by: Difference, bound: 0.2}),
		row("slow", "RSS", "MiB", []float64{16}, "all read", []float64{16.25}, limit{by: Difference, bound: 32}),
		row("idle", "memory", "B", []float64{370}, "", nil, limit{by: Value, bound: 450}),
	}
	r.LeftOut = []string{"backlog, which needs a RabbitMQ"}
	var out bytes.Buffer
	r.table(&out)
	if !strings.HasSuffix(out.String(), "\nLeft out: backlog, which needs a RabbitMQ.\n") {
		t.Errorf("the last line is not what was left out: %q", out.String())
	}
	want := []string{
		"what measured reference ratio goal",
		"CPU per delivery 0.120 us 0.100 us coalesced baseline 1.20 <= 1.25 x ok",
		"deliveries/s 1,234,567 /s 2,000,000 /s coalesced baseline 0.62 >= 0.95 x short",
		"p50 0.250 ms 0.100 ms bare consumer +0.150 ms <= +0.200 ms ok",
		"RSS 16.0 MiB 16.2 MiB all read -0.250 MiB <= +32.0 MiB ok",
		"memory 370 B <= 450 B ok",
	}
	lines := strings.Split(out.String(), "\n")
	for i, line := range want {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != line {
			t.Errorf("line %d: %q, not %q", i, got, line)
		}
	}
}

func TestProgressIsALineForEachScenarioOffATerminal(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, 10)
	stop := p.animate()
	p.begin("burst", "round 1", 1)
	p.begin("burst", "round 2", 1)
	p.begin("idle", "round 1", 1)
	stop()
	if got := strings.Fields(out.String()); len(got) != 4 || got[1] != "burst" || got[3] != "idle" {
		t.Errorf("%q", out.String())
	}
}
