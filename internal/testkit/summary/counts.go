package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

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
