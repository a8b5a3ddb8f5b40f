package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// line is one line of a package's output and the test that wrote it.
type line struct{ test, text string }

// run is one package, while its tests run.
type run struct {
	on       string // see goTest
	lines    []line
	crashed  bool                // the rest is what the process wrote of its end
	ended    map[string]string   // action by test
	counts   *counts             // of this package alone
	leftOut  map[string]string   // what a test needs that was left out
	subtests map[string]subtests // by parent
	notes    []string            // noted results of passing tests
}

// crashes are the first words of what a process of Go writes of its end, as one does whose tests took too long. go test takes
// that for the output of the test that wrote last, which may have passed.
var crashes = []string{"panic: ", "fatal error: ", "SIGQUIT: "}

func newRun(on string) *run {
	return &run{
		on: on, ended: map[string]string{}, counts: newCounts(),
		leftOut: map[string]string{}, subtests: map[string]subtests{},
	}
}

// subtests counts the direct subtests of a test that have ended.
type subtests struct{ all, leftOut int }

// brokenByDetector reports whether the race detector failed and nothing else did.
func (p *run) brokenByDetector() bool {
	return p.counts.failed == 0 &&
		slices.ContainsFunc(p.lines, func(l line) bool { return strings.Contains(l.text, detectorFault) }) &&
		!slices.ContainsFunc(p.lines, func(l line) bool { return strings.Contains(l.text, "DATA RACE") })
}

// add takes one event of a package.
func (p *run) add(e event) {
	switch e.Action {
	case "output":
		p.crashed = p.crashed || slices.ContainsFunc(crashes, func(crash string) bool { return strings.HasPrefix(e.Output, crash) })
		of := e.Test
		if p.crashed {
			of = ""
		}
		p.lines = append(p.lines, line{of, e.Output})
		if i := strings.Index(e.Output, "MISSING "); i >= 0 && e.Test != "" {
			p.counts.missing[strings.TrimSpace(e.Output[i:])] = true
		}
		if i := strings.Index(e.Output, testkit.LeftOutMark+" "); i >= 0 && e.Test != "" {
			p.leftOut[e.Test] = strings.TrimSpace(e.Output[i+len(testkit.LeftOutMark):])
		}
		if i := strings.Index(e.Output, "NOTE "); i >= 0 && e.Test != "" {
			p.notes = append(p.notes, strings.TrimSpace(e.Output[i+len("NOTE "):]))
		}
	case "pass", "fail", "skip":
		if e.Test == "" {
			return
		}
		p.ended[e.Test] = e.Action
		p.count(e)
	}
}

// count counts a test that has ended. go test ends subtests before their parent.
func (p *run) count(e event) {
	what, leftOut := p.leftOut[e.Test]
	if parent, _, isSub := cutLast(e.Test, '/'); isSub {
		s := p.subtests[parent]
		s.all++
		if leftOut {
			s.leftOut++
		}
		p.subtests[parent] = s
	}
	if s := p.subtests[e.Test]; e.Action == "pass" && s.all > 0 && s.leftOut == s.all {
		return // it did nothing but leave its subtests out, which are counted
	}
	switch {
	case e.Action == "skip" && leftOut:
		p.counts.leftOut[what]++
	case e.Action == "pass":
		p.counts.passed++
	case e.Action == "fail":
		p.counts.failed++
	case e.Action == "skip":
		p.counts.skipped++
	}
}

// cutLast slices s around the last separator.
func cutLast(s string, separator byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// finish writes the result of a package that has ended: one line if it passed, everything about its failures if not.
func (p *run) finish(e event, out io.Writer) {
	switch e.Action {
	case "pass":
		fmt.Fprintf(out, "ok    %s%s  %d passed, %.1fs\n", e.Package, p.on, p.counts.passed, e.Elapsed)
		for _, note := range p.notes {
			fmt.Fprintf(out, "      %s\n", note)
		}
		return
	case "skip":
		return // a package without tests
	}
	failedTest := false
	for _, l := range p.lines {
		end := p.ended[l.test]
		failedTest = failedTest || end == "fail"
		// The rest is the package's own, such as a data race or a panic, or that of a test that
		// never ended.
		if l.test == "" || end == "fail" || end == "" {
			if strings.HasPrefix(l.text, "=== ") {
				continue
			}
			if strings.HasPrefix(strings.TrimLeft(l.text, " "), "--- FAIL: ") {
				l.text = strings.TrimSuffix(l.text, "\n") + p.on + "\n"
			}
			fmt.Fprint(out, l.text)
		}
	}
	if !failedTest {
		p.counts.failed++ // it did not build, or panicked, or left goroutines
	}
	fmt.Fprintf(out, "FAIL  %s%s  %.1fs\n", e.Package, p.on, e.Elapsed)
}
