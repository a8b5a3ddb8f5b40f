package bench

import (
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
	own    func(LoadFigures) []float64 // a row more for those with something behind them; nil is none
	format func(float64) string
	load   func(LoadFigures) string // the heading of a column
}

func peerTables() []peerTable {
	steady := func(f LoadFigures) string { return fmt.Sprintf("%s clients, %.0f/s", grouped(f.Clients), f.PerSecond) }
	burst := func(f LoadFigures) string {
		return fmt.Sprintf("%s clients, %s at once", grouped(f.Clients), grouped(f.Burst))
	}
	us := func(v float64) string { return figure(v, "us") }
	ms := func(v float64) string { return figure(v, "ms") }
	number := func(v float64) string { return grouped(int(v)) }
	return []peerTable{
		{
			"CPU time of a delivery, replies one at a time", func(f LoadFigures) []float64 { return f.SteadyCPU },
			func(f LoadFigures) []float64 { return f.OwnCPU }, us, steady,
		},
		{"CPU time of a delivery in a burst", func(f LoadFigures) []float64 { return f.BurstCPU }, nil, us, burst},
		{"Deliveries a second in a burst", func(f LoadFigures) []float64 { return f.Rate }, nil, number, burst},
		{"p99 from publishing to reading, replies one at a time", func(f LoadFigures) []float64 { return f.P99 }, nil, ms, steady},
	}
}

// Markdown returns the tables, each figure with its ratio to the bridge's.
func (r *PeersReport) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d processors, rounds: %d, %.0f s in all. Figures are medians of the rounds; in parentheses is the ratio to clu-ws.\n", r.Time.Format("January 2006"), r.CPUs, r.Rounds, r.Took)
	if len(r.Versions) > 0 {
		fmt.Fprintf(&b, "\nVersions: %s.\n", strings.Join(r.Versions, ", "))
	}
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
		r.loadRow(b, p.Name, p, t, t.of)
		if t.own != nil && len(p.Loads) > 0 && len(t.own(p.Loads[0])) > 0 {
			r.loadRow(b, p.Name+", without RabbitMQ", p, t, t.own)
		}
	}
}

// loadRow writes the figures of a peer.
func (r *PeersReport) loadRow(b *strings.Builder, name string, p PeerResult, t peerTable, of func(LoadFigures) []float64) {
	fmt.Fprintf(b, "| %s |", name)
	for i, f := range r.first().Loads {
		var v float64
		if i < len(p.Loads) {
			v = median(of(p.Loads[i]))
		}
		fmt.Fprintf(b, " %s |", compared(v, median(t.of(f)), t.format))
	}
	fmt.Fprintln(b)
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
	return replaceBetween(page, tableBegin, tableEnd, r.Markdown())
}
