package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// event is one line of `go test -json`: see `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // of a build-output, in place of Package
	Test       string
	Output     string
	Elapsed    float64
}

// line is one line of a package's output and the test that wrote it.
type line struct{ test, text string }

// run is one package, while its tests run.
type run struct {
	on       string // see goTest
	lines    []line
	ended    map[string]string   // action by test
	counts   *counts             // of this package alone
	leftOut  map[string]string   // what a test needs that was left out
	subtests map[string]subtests // by parent
	notes    []string            // noted results of passing tests
}

func newRun(on string) *run {
	return &run{
		on: on, ended: map[string]string{}, counts: newCounts(),
		leftOut: map[string]string{}, subtests: map[string]subtests{},
	}
}

// subtests counts the direct subtests of a test that have ended.
type subtests struct{ all, leftOut int }

// goTest is one run of go test.
type goTest struct {
	args []string
	env  []string // on top of this process's own
	on   string   // follows the names of packages and failed tests, such as " on RabbitMQ 4.0.5"

	ended func(importPath string) // nil, or called when a package has ended and was counted
}

// detectorFault is what the race detector writes before it ends a process because of a fault of its own. The tests did
// not run to their end then.
const detectorFault = "ThreadSanitizer: CHECK failed"

// runGo runs `go test -json`. Packages in which the race detector itself failed are run once more.
func runGo(tests goTest, total *counts) {
	broken := runOnce(tests, false, total)
	if len(broken) == 0 {
		return
	}
	fmt.Println(total.ranTwice(tests.on, broken))
	flags := slices.DeleteFunc(slices.Clone(tests.args), func(arg string) bool { return !strings.HasPrefix(arg, "-") })
	tests.args = append(flags, broken...)
	runOnce(tests, true, total)
}

// ranTwice returns the line that says which packages had to run twice, and adds it to the last lines.
func (c *counts) ranTwice(on string, packages []string) string {
	line := "AGAIN the race detector itself failed, so these ran once more" + on + ": " + strings.Join(packages, " ")
	c.twice = append(c.twice, line)
	return line
}

// runOnce returns the packages in which the race detector failed. They count as failed if last is true.
func runOnce(tests goTest, last bool, total *counts) (broken []string) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, tests.args...)...)
	cmd.Env = append(os.Environ(), tests.env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Println("cannot run go test:", err)
		total.failed++
		return nil
	}
	failedBefore := total.failed
	broken = readEvents(in, os.Stdout, tests, total)
	if last && len(broken) > 0 {
		fmt.Printf("FAIL  the race detector failed again in %s\n", strings.Join(broken, " "))
		total.failed += len(broken)
	}
	// For instance because of a bad flag: there was nothing to count.
	if err := cmd.Wait(); err != nil && total.failed == failedBefore && len(broken) == 0 {
		fmt.Printf("go test%s: %v\n", tests.on, err)
		total.failed++
	}
	return broken
}

// readEvents returns the packages in which the race detector failed. It counts nothing of these.
func readEvents(in io.Reader, out io.Writer, tests goTest, total *counts) (broken []string) {
	packages := map[string]*run{}
	lines := bufio.NewReader(in)
	for {
		text, err := lines.ReadBytes('\n')
		var e event
		switch {
		case len(text) == 0 && err != nil:
			return broken
		case json.Unmarshal(text, &e) != nil:
			fmt.Fprint(out, string(text)) // not from test2json
			continue
		case e.Action == "build-output":
			fmt.Fprint(out, e.Output)
			continue
		case e.Package == "":
			continue
		}
		p := packages[e.Package]
		if p == nil {
			p = newRun(tests.on)
			packages[e.Package] = p
		}
		p.add(e)
		if e.Test == "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip") {
			if e.Action == "fail" && p.brokenByDetector() {
				broken = append(broken, e.Package)
			} else {
				// In one write: other runs write, too.
				var text bytes.Buffer
				p.finish(e, &text)
				_, _ = out.Write(text.Bytes())
				total.add(p.counts)
				if tests.ended != nil {
					tests.ended(e.Package)
				}
			}
			delete(packages, e.Package) // a long run need not keep its output
		}
	}
}

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
		p.lines = append(p.lines, line{e.Test, e.Output})
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
