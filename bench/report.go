package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Row is one line of the table: a figure, its reference, and its goal.
type Row struct {
	Scenario string `json:"scenario"`
	What     string `json:"what"`
	Unit     string `json:"unit"`
	// Measured and Reference are medians of the rounds.
	Measured  float64 `json:"measured"`
	Reference float64 `json:"reference,omitempty"`
	Against   string  `json:"against,omitempty"` // names the reference; "" is none

	// Compared says what is compared with the goal: the ratio to the reference, the difference from it, or the measured
	// value itself.
	Compared Comparison `json:"compared"`
	Value    float64    `json:"value"`
	Goal     float64    `json:"goal"`
	AtLeast  bool       `json:"at_least,omitempty"` // else at most
	OK       bool       `json:"ok"`
	Note     string     `json:"note,omitempty"` // printed below the table

	MeasuredRounds  []float64 `json:"measured_rounds"`
	ReferenceRounds []float64 `json:"reference_rounds,omitempty"`
}

// Comparison is what a row compares with its goal.
type Comparison string

// The kinds of comparison.
const (
	Ratio         Comparison = "ratio"
	Difference    Comparison = "difference"
	Value         Comparison = "value"
	Informational Comparison = "informational" // the ratio, without a goal
)

// limit is a goal: at most, or at least, some value in some comparison.
type limit struct {
	by      Comparison
	bound   float64
	atLeast bool
}

// row makes a line from the rounds' figures.
func row(scenario, what, unit string, measured []float64, against string, reference []float64, to limit) Row {
	r := Row{
		Scenario: scenario, What: what, Unit: unit, Against: against,
		Measured: median(measured), Reference: median(reference),
		Compared: to.by, Goal: to.bound, AtLeast: to.atLeast,
		MeasuredRounds: measured, ReferenceRounds: reference,
	}
	switch r.Compared {
	case Ratio, Informational:
		if r.Reference != 0 { // without a reference no goal is reached
			r.Value = r.Measured / r.Reference
		}
	case Difference:
		r.Value = r.Measured - r.Reference
	case Value:
		r.Value = r.Measured
	}
	switch {
	case r.Compared == Informational:
		r.OK = true
	case r.AtLeast:
		r.OK = r.Value >= r.Goal
	default:
		r.OK = r.Value <= r.Goal
	}
	return r
}

// Report is the result of a run.
type Report struct {
	Time     time.Time         `json:"time"`
	Took     float64           `json:"took_seconds"`
	Go       string            `json:"go"`
	CPUs     int               `json:"cpus"`
	Broker   string            `json:"broker"`
	Rounds   int               `json:"rounds"`
	Rows     []Row             `json:"rows"`
	Failures map[string]string `json:"failures,omitempty"` // by scenario: why its figures are void
	LeftOut  []string          `json:"left_out,omitempty"` // what was not measured, and why
}

// table prints the report.
func (r *Report) table(to io.Writer) {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\tmeasured\treference\t\tratio\tgoal\t")
	for _, row := range r.Rows {
		verdict := "short"
		switch {
		case row.Compared == Informational:
			verdict = ""
		case row.OK:
			verdict = "ok"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.What, figure(row.Measured, row.Unit), row.reference(),
			row.Against, row.ratio(), row.goal(), verdict)
	}
	w.Flush()
	fmt.Fprintf(to, "\nMedians of rounds in which reference and server took turns; %d processors, %s, %s, %.0f s.\n",
		r.CPUs, r.Go, r.Broker, r.Took)
	for _, row := range r.Rows {
		if row.Note != "" {
			fmt.Fprintf(to, "%s: %s.\n", row.What, row.Note)
		}
	}
	for _, what := range r.LeftOut {
		fmt.Fprintf(to, "Left out: %s.\n", what)
	}
}

func (r Row) reference() string {
	if r.Against == "" {
		return ""
	}
	return figure(r.Reference, r.Unit)
}

func (r Row) ratio() string {
	switch r.Compared {
	case Ratio, Informational:
		if r.Against == "" {
			return ""
		}
		return fmt.Sprintf("%.2f", r.Value)
	case Difference:
		if r.Value < 0 {
			return figure(r.Value, r.Unit)
		}
		return "+" + figure(r.Value, r.Unit)
	}
	return ""
}

func (r Row) goal() string {
	bound := figure(r.Goal, r.Unit)
	switch r.Compared {
	case Ratio:
		bound = fmt.Sprintf("%.2f x", r.Goal)
	case Difference:
		bound = "+" + bound
	case Informational:
		return "-"
	}
	if r.AtLeast {
		return ">= " + bound
	}
	return "<= " + bound
}

// figure formats a value with about three significant digits.
func figure(v float64, unit string) string {
	switch size := math.Abs(v); {
	case size >= 10000:
		return grouped(int(v)) + " " + unit
	case size >= 100:
		return fmt.Sprintf("%.0f %s", v, unit)
	case size >= 10:
		return fmt.Sprintf("%.1f %s", v, unit)
	case size >= 1:
		return fmt.Sprintf("%.2f %s", v, unit)
	}
	return fmt.Sprintf("%.3f %s", v, unit)
}

// grouped formats an integer with commas between groups of three digits.
func grouped(n int) string {
	s := strconv.Itoa(n)
	var b strings.Builder
	for i, digit := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String()
}

// save writes the report as JSON.
func (r *Report) save(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

func newReport(rounds int, broker string) *Report {
	return &Report{Time: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), CPUs: runtime.NumCPU(),
		Broker: broker, Rounds: rounds, Failures: map[string]string{}}
}
