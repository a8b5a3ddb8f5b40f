package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Status is how serious a finding is.
type Status string

// The statuses. Only a problem keeps a bridge from working.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Problem Status = "problem"
)

// Finding is the result of one check.
type Finding struct {
	Check  string `json:"check"` // a stable name, such as broker.login
	Status Status `json:"status"`
	Text   string `json:"text"`
	Mend   string `json:"mend,omitempty"` // how
}

// Report collects findings.
type Report struct {
	Findings []Finding

	// Heard is called with each finding at once: some checks take seconds. It may be nil.
	Heard func(Finding)

	held    []string // addresses that a bridge has
	running string   // the name of the bridge that runs, if its admin server says so
}

func (r *Report) add(check string, status Status, mend, format string, args ...any) {
	f := Finding{check, status, fmt.Sprintf(format, args...), mend}
	r.Findings = append(r.Findings, f)
	if r.Heard != nil {
		r.Heard(f)
	}
}

// OK adds something that is as it should be.
func (r *Report) OK(check, format string, args ...any) { r.add(check, OK, "", format, args...) }

// Warn adds something that works, and may not be what is meant.
func (r *Report) Warn(check, mend, format string, args ...any) {
	r.add(check, Warning, mend, format, args...)
}

// Fail adds what keeps a bridge from working.
func (r *Report) Fail(check, mend, format string, args ...any) {
	r.add(check, Problem, mend, format, args...)
}

// Count returns how many findings have a status.
func (r *Report) Count(s Status) (n int) {
	for _, f := range r.Findings {
		if f.Status == s {
			n++
		}
	}
	return n
}

// Print writes one finding for a reader.
func (f Finding) Print(w io.Writer) {
	fmt.Fprintf(w, "%-8s %-15s %s\n", f.Status, f.Check, f.Text)
	if f.Mend != "" {
		fmt.Fprintf(w, "%24s -> %s\n", "", f.Mend)
	}
}

// PrintEnd writes what is wrong in one line.
func (r *Report) PrintEnd(w io.Writer) {
	problems, warnings := r.Count(Problem), r.Count(Warning)
	switch {
	case problems+warnings == 0:
		fmt.Fprintln(w, "\nAll is well.")
	case problems == 0:
		fmt.Fprintf(w, "\nThe bridge works, with %s.\n", plural(warnings, "warning"))
	default:
		fmt.Fprintf(w, "\n%s, %s.\n", plural(problems, "problem"), plural(warnings, "warning"))
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// JSON writes the report for a program.
func (r *Report) JSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(struct {
		OK       bool      `json:"ok"`
		Problems int       `json:"problems"`
		Warnings int       `json:"warnings"`
		Findings []Finding `json:"findings"`
	}{r.Count(Problem) == 0, r.Count(Problem), r.Count(Warning), r.Findings})
}

// A certificate is renewed in time if it has this long to go.
const (
	renewIn   = 14 * 24 * time.Hour
	renewSoon = 2 * 24 * time.Hour
)

// Certificate checks when a certificate ends.
func (r *Report) Certificate(check, whose string, end time.Time) {
	left := time.Until(end)
	day := end.UTC().Format("2006-01-02 15:04 UTC")
	switch {
	case left <= 0:
		r.Fail(check, "renew it", "%s ended on %s", whose, day)
	case left < renewSoon:
		r.Warn(check, "renew it now", "%s ends on %s, in %d hours", whose, day, int(left.Hours()))
	case left < renewIn:
		r.Warn(check, "renew it", "%s ends on %s, in %d days", whose, day, int(left.Hours()/24))
	default:
		r.OK(check, "%s is valid until %s", whose, day)
	}
}
