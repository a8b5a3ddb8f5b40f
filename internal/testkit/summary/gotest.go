package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
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
	on     string // see goTest
	lines  []line
	ended  map[string]string // action by test
	passed int
	notes  []string // noted results of passing tests
}

// goTest is one run of go test.
type goTest struct {
	args []string
	env  []string // on top of this process's own
	on   string   // follows the names of packages and failed tests, such as " on RabbitMQ 4.0.5"
}

// runGo runs `go test -json`.
func runGo(tests goTest, total *counts) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, tests.args...)...)
	cmd.Env = append(os.Environ(), tests.env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Println("cannot run go test:", err)
		total.failed++
		return
	}
	failedBefore := total.failed
	readEvents(out, os.Stdout, tests.on, total)
	// For instance a bad flag: there was nothing to count.
	if err := cmd.Wait(); err != nil && total.failed == failedBefore {
		fmt.Printf("go test%s: %v\n", tests.on, err)
		total.failed++
	}
}

func readEvents(in io.Reader, out io.Writer, on string, total *counts) {
	packages := map[string]*run{}
	lines := bufio.NewReader(in)
	for {
		text, err := lines.ReadBytes('\n')
		var e event
		switch {
		case len(text) == 0 && err != nil:
			return
		case json.Unmarshal(text, &e) != nil:
			fmt.Fprint(out, string(text)) // not test2json's: say it as it is
			continue
		case e.Action == "build-output":
			fmt.Fprint(out, e.Output)
			continue
		case e.Package == "":
			continue
		}
		p := packages[e.Package]
		if p == nil {
			p = &run{on: on, ended: map[string]string{}}
			packages[e.Package] = p
		}
		p.add(e, total)
		if e.Test == "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip") {
			p.finish(e, out, total)
			delete(packages, e.Package) // a long run need not keep its output
		}
	}
}

// add takes one event of a package.
func (p *run) add(e event, total *counts) {
	switch e.Action {
	case "output":
		p.lines = append(p.lines, line{e.Test, e.Output})
		if i := strings.Index(e.Output, "MISSING "); i >= 0 && e.Test != "" {
			total.missing[strings.TrimSpace(e.Output[i:])] = true
		}
		if i := strings.Index(e.Output, "NOTE "); i >= 0 && e.Test != "" {
			p.notes = append(p.notes, strings.TrimSpace(e.Output[i+len("NOTE "):]))
		}
	case "pass", "fail", "skip":
		if e.Test == "" {
			return
		}
		p.ended[e.Test] = e.Action
		switch e.Action {
		case "pass":
			p.passed++
			total.passed++
		case "fail":
			total.failed++
		case "skip":
			total.skipped++
		}
	}
}

// finish writes what is worth reading of a package that has ended.
func (p *run) finish(e event, out io.Writer, total *counts) {
	switch e.Action {
	case "pass":
		fmt.Fprintf(out, "ok    %s%s  %d passed, %.1fs\n", e.Package, p.on, p.passed, e.Elapsed)
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
		total.failed++ // it did not build, or panicked, or left goroutines
	}
	fmt.Fprintf(out, "FAIL  %s%s  %.1fs\n", e.Package, p.on, e.Elapsed)
}
