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
