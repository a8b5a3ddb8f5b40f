package bench

import (
	"errors"
	"fmt"
	"strings"
)

// The lines around the tables of [DialectsReport] in a page.
const (
	dialectsBegin = "<!-- made by make bench-peers with --dialects -->\n"
	dialectsEnd   = "<!-- end of what make bench-peers with --dialects makes -->\n"
)

// dialectFigure is a row of a system's table.
type dialectFigure struct {
	name   string
	of     func(LoadFigures) []float64
	format func(float64) string
}

func dialectFigures() []dialectFigure {
	us := func(v float64) string { return figure(v, "us") }
	ms := func(v float64) string { return figure(v, "ms") }
	return []dialectFigure{
		{"CPU time of a delivery", func(f LoadFigures) []float64 { return f.SteadyCPU }, us},
		{"p50 from publishing to reading", func(f LoadFigures) []float64 { return f.P50 }, ms},
		{"p99 from publishing to reading", func(f LoadFigures) []float64 { return f.P99 }, ms},
		{"CPU time of a delivery in a burst", func(f LoadFigures) []float64 { return f.BurstCPU }, us},
		{"deliveries a second in a burst", func(f LoadFigures) []float64 { return f.Rate }, func(v float64) string { return grouped(int(v)) }},
		{"resident memory", func(f LoadFigures) []float64 { return f.RSS }, func(v float64) string { return figure(v/1e6, "MB") }},
	}
}

// Markdown returns a table for each system.
func (r *DialectsReport) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d processors, rounds: %d, %.0f s in all, after a minute with a load average of %.1f. Figures are medians of the rounds; in parentheses is the ratio to the system itself.\n",
		r.Time.Format("January 2006"), r.CPUs, r.Rounds, r.Took, r.Busy)
	if len(r.Versions) > 0 {
		fmt.Fprintf(&b, "\nVersions: %s.\n", strings.Join(r.Versions, ", "))
	}
	if r.Cut {
		fmt.Fprint(&b, "\nThere was no time for all rounds: some figures are of fewer.\n")
	}
	for _, s := range r.Systems {
		s.tables(&b, r.Bare)
		for _, p := range []PeerResult{s.Itself, s.Bridge, r.Bare} {
			if p.Missing != "" {
				fmt.Fprintf(&b, "\n%s is not measured, or not fully: %s.\n", p.Name, strings.Join(strings.Fields(p.Missing), " "))
			}
			if p.Lost > 0 {
				fmt.Fprintf(&b, "\n%s lost %s deliveries.\n", p.Name, grouped(p.Lost))
			}
		}
	}
	return b.String()
}

// tables writes a table for each load.
func (s *DialectSystem) tables(b *strings.Builder, bare PeerResult) {
	for i := range min(len(s.Itself.Loads), len(s.Bridge.Loads)) {
		itself, bridge := s.Itself.Loads[i], s.Bridge.Loads[i]
		topics := "1 topic"
		if itself.Topics > 1 {
			topics = grouped(itself.Topics) + " topics"
		}
		fmt.Fprintf(b, "\n| %s clients in %s, %.0f messages/s; a burst of %s | %s | %s | %s |\n| --- | --- | --- | --- |\n",
			grouped(itself.Clients), topics, itself.PerSecond, grouped(itself.Burst), s.Itself.Name, s.Bridge.Name, bare.Name)
		for _, f := range dialectFigures() {
			theirs, least := median(f.of(itself)), 0.0
			if i < len(bare.Loads) {
				least = median(f.of(bare.Loads[i]))
			}
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", f.name, f.format(theirs), compared(median(f.of(bridge)), theirs, f.format), compared(least, theirs, f.format))
		}
	}
}

// ReplaceTable replaces the tables in a page.
func (r *DialectsReport) ReplaceTable(page string) (string, error) {
	return replaceBetween(page, dialectsBegin, dialectsEnd, r.Markdown())
}

// replaceBetween replaces what is between two lines of a page.
func replaceBetween(page, begin, end, text string) (string, error) {
	before, rest, begins := strings.Cut(page, begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return "", errors.New("it has no place for the table, between the lines " + strings.TrimSpace(begin) + " and " + strings.TrimSpace(end))
	}
	return before + begin + "\n" + text + "\n" + end + after, nil
}
