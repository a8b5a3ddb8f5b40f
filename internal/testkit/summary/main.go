package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func main() {
	again := flag.String("again", "", "other RabbitMQs, separated by commas: newest, or suites of Debian")
	in := flag.String("in", ".", "the folders, separated by commas, whose tests are repeated on the other RabbitMQs")
	each := flag.String("each", "", "the build tag of tests that run on each RabbitMQ")
	once := flag.String("once", "", "the build tag of tests that run once")
	background := flag.String("background", "", "a program that checks something else meanwhile")
	flag.Parse()
	check := startBackground(*background)
	total := newCounts()
	if err := runAll(flag.Args(), list(*again), list(*in), *each, *once, total); err != nil {
		fmt.Println(err)
		total.failed++
	}

	for check := range strings.Lines(os.Getenv("FAILED_CHECKS")) {
		total.failCheck(strings.TrimSpace(check))
	}
	if !check.report(os.Stdout) {
		total.failCheck(*background)
	}
	for _, line := range total.lastLines() {
		fmt.Println(line)
	}
	if total.failed > 0 {
		os.Exit(1)
	}
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

// runAll runs all tests on the installed RabbitMQ, and those that asked for it on the others.
func runAll(args, again, in []string, each, once string, total *counts) error {
	var flags []string
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") {
			flags = append(flags, arg)
		}
	}
	noted, err := os.MkdirTemp("", "clu-ws-tests-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(noted)
	file := filepath.Join(noted, "users")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return err
	}

	// The race detector has seen these tests in the first run, and takes most of their time.
	unraced := slices.DeleteFunc(slices.Clone(flags), func(flag string) bool { return flag == "-race" })
	r, err := newRepeats(again, in, file, unraced, total)
	if err != nil {
		return err
	}
	runGo(goTest{args: args, env: []string{testkit.BrokerTestsFile + "=" + file}, ended: r.start}, total)
	runNode(".", total)
	r.wait(total)
	if once != "" {
		runTagged(once, "", flags, total)
	}
	if each != "" {
		for _, name := range append([]string{""}, again...) {
			runTagged(each, name, flags, total)
		}
	}
	return nil
}

// counts are the counts of one run or several. Runs at the same time have one each.
type counts struct {
	passed, failed, skipped int
	leftOut                 map[string]int  // tests that need more than Go, in a run of those that do not
	missing                 map[string]bool // whole lines: MISSING <component>: <what to do>
	twice                   []string        // whole lines: what ran once more, and why
	checks                  []string        // the names of the checks that failed in addition to the tests
}

func newCounts() *counts { return &counts{leftOut: map[string]int{}, missing: map[string]bool{}} }

// failCheck counts a check that failed in addition to the tests.
func (c *counts) failCheck(name string) {
	c.failed++
	c.checks = append(c.checks, name)
}

// lastLines returns the counts, preceded by what would otherwise have scrolled away.
func (c *counts) lastLines() []string {
	lines := slices.Concat(c.twice, slices.Sorted(maps.Keys(c.missing)))
	for _, what := range slices.Sorted(maps.Keys(c.leftOut)) {
		lines = append(lines, fmt.Sprintf("%s: %d that need %s", testkit.LeftOutMark, c.leftOut[what], what))
	}
	if len(c.checks) > 0 {
		lines = append(lines, "FAIL  of the checks above: "+strings.Join(c.checks, ", "))
	}
	return append(lines, fmt.Sprintf("%d passed, %d failed, %d skipped", c.passed, c.failed, c.skipped))
}

func (c *counts) add(other *counts) {
	c.passed += other.passed
	c.failed += other.failed
	c.skipped += other.skipped
	for what, n := range other.leftOut {
		c.leftOut[what] += n
	}
	maps.Copy(c.missing, other.missing)
	c.twice = append(c.twice, other.twice...)
}

// miss records that a component could not be set up, so that its tests did not run. That fails CI.
func (c *counts) miss(line string) {
	c.missing[line] = true
	if os.Getenv("CI") == "true" {
		c.failed++
	} else {
		c.skipped++
	}
}
