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
	lines  []line
	ended  map[string]string // action by test
	passed int
	notes  []string // noted results of passing tests
}

// runGo runs `go test -json` with args.
func runGo(args []string, total *counts) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
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
	readEvents(out, os.Stdout, total)
	// For instance a bad flag: there was nothing to count.
	if err := cmd.Wait(); err != nil && total.failed == failedBefore {
		fmt.Println("go test:", err)
		total.failed++
	}
}

func readEvents(in io.Reader, out io.Writer, total *counts) {
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
			p = &run{ended: map[string]string{}}
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
		fmt.Fprintf(out, "ok    %s  %d passed, %.1fs\n", e.Package, p.passed, e.Elapsed)
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
			if !strings.HasPrefix(l.text, "=== ") {
				fmt.Fprint(out, l.text)
			}
		}
	}
	if !failedTest {
		total.failed++ // it did not build, or panicked, or left goroutines
	}
	fmt.Fprintf(out, "FAIL  %s  %.1fs\n", e.Package, e.Elapsed)
}
