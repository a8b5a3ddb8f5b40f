package bench

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// The lines around the table in a page.
const (
	tableBegin = "<!-- made by make bench-peers -->\n"
	tableEnd   = "<!-- end of what make bench-peers makes -->\n"
)

// peerTable is a table of a figure at each number of clients.
type peerTable struct {
	title  string
	of     func(LoadFigures) []float64
	format func(float64) string
	load   func(LoadFigures) string // the heading of a column
}

func peerTables() []peerTable {
	steady := func(f LoadFigures) string { return fmt.Sprintf("%s clients, %.0f/s", grouped(f.Clients), f.PerSecond) }
	burst := func(f LoadFigures) string {
		return fmt.Sprintf("%s clients, %s at once", grouped(f.Clients), grouped(f.Burst))
	}
	us := func(v float64) string { return figure(v, "us") }
	return []peerTable{
		{"CPU time of a delivery, replies one at a time", func(f LoadFigures) []float64 { return f.SteadyCPU }, us, steady},
		{"CPU time of a delivery in a burst", func(f LoadFigures) []float64 { return f.BurstCPU }, us, burst},
		{"Deliveries a second in a burst", func(f LoadFigures) []float64 { return f.Rate }, func(v float64) string { return grouped(int(v)) }, burst},
		{"p99 from publishing to reading, replies one at a time", func(f LoadFigures) []float64 { return f.P99 }, func(v float64) string { return figure(v, "ms") }, steady},
	}
}

// Markdown returns the tables, each figure with its ratio to the bridge's.
func (r *PeersReport) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d processors, rounds: %d, %.0f s in all. Figures are medians of the rounds; in parentheses is the ratio to clu-ws.\n", r.Time.Format("January 2006"), r.CPUs, r.Rounds, r.Took)
	if r.Cut {
		fmt.Fprint(&b, "\nThere was no time for all rounds: some figures are of fewer.\n")
	}
	for _, t := range peerTables() {
		r.loadTable(&b, t)
	}
	fmt.Fprint(&b, "\n| server | memory of an idle client | command and answer, p50 | deliveries lost |\n| --- | --- | --- | --- |\n")
	first := r.first()
	for _, p := range r.Peers {
		idle := compared(p.Idle, first.Idle, memoryText)
		trip := compared(p.RoundTrip, first.RoundTrip, func(v float64) string { return figure(v, "ms") })
		fmt.Fprintf(&b, "| %s | %s | %s | %d |\n", p.Name, idle, trip, p.Lost)
	}
	for _, p := range r.Peers {
		if p.Missing != "" {
			fmt.Fprintf(&b, "\n%s is not measured, or not fully: %s.\n", p.Name, strings.Join(strings.Fields(p.Missing), " "))
		}
	}
	return b.String()
}

func (r *PeersReport) loadTable(b *strings.Builder, t peerTable) {
	first := r.first()
	if len(first.Loads) == 0 {
		return
	}
	fmt.Fprintf(b, "\n| %s |", t.title)
	for _, f := range first.Loads {
		fmt.Fprintf(b, " %s |", t.load(f))
	}
	fmt.Fprint(b, "\n| --- |", strings.Repeat(" --- |", len(first.Loads)), "\n")
	for _, p := range r.Peers {
		fmt.Fprintf(b, "| %s |", p.Name)
		for i, f := range first.Loads {
			var v float64
			if i < len(p.Loads) {
				v = median(t.of(p.Loads[i]))
			}
			fmt.Fprintf(b, " %s |", compared(v, median(t.of(f)), t.format))
		}
		fmt.Fprintln(b)
	}
}

// first returns what the others are compared with: the bridge, which is the first of the table.
func (r *PeersReport) first() PeerResult {
	if len(r.Peers) == 0 {
		return PeerResult{}
	}
	return r.Peers[0]
}

// compared formats a figure with its ratio to a reference.
func compared(v, reference float64, format func(float64) string) string {
	switch {
	case v == 0:
		return "-"
	case reference == 0 || v == reference:
		return format(v)
	}
	return fmt.Sprintf("%s (%s)", format(v), ratioText(v/reference))
}

// ratioText formats a ratio with two significant digits.
func ratioText(v float64) string {
	switch {
	case v >= 10:
		return fmt.Sprintf("%.0f x", v)
	case v >= 1:
		return fmt.Sprintf("%.1f x", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f x", v)
	}
	return fmt.Sprintf("%.3f x", v)
}

// memoryText formats a number of bytes.
func memoryText(v float64) string {
	if math.Abs(v) < 1000 {
		return figure(v, "B")
	}
	return figure(v/1000, "kB")
}

// ReplaceTable replaces the tables in a page.
func (r *PeersReport) ReplaceTable(page string) (string, error) {
	before, rest, begins := strings.Cut(page, tableBegin)
	_, after, ends := strings.Cut(rest, tableEnd)
	if !begins || !ends {
		return "", errors.New("it has no place for the table, between the lines " + strings.TrimSpace(tableBegin) + " and " + strings.TrimSpace(tableEnd))
	}
	return before + tableBegin + "\n" + r.Markdown() + "\n" + tableEnd + after, nil
}
