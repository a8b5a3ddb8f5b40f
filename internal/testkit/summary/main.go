package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
)

func main() {
	total := newCounts()
	runGo(os.Args[1:], total)
	runNode(".", total)

	for _, line := range slices.Sorted(maps.Keys(total.missing)) {
		fmt.Println(line)
	}
	// Checks that are not tests come before all this, and would be scrolled away.
	if checks := os.Getenv("FAILED_CHECKS"); checks != "" {
		fmt.Println("FAIL  of the checks above:" + checks)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", total.passed, total.failed, total.skipped)
	if total.failed > 0 {
		os.Exit(1)
	}
}

// counts is what the last lines tell.
type counts struct {
	passed, failed, skipped int
	missing                 map[string]bool // whole lines: MISSING <component>: <what to do>
}

func newCounts() *counts { return &counts{missing: map[string]bool{}} }
