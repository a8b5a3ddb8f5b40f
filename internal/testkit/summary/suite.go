package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// suite is what runs beyond one `go test`.
type suite struct {
	again, in  []string // other RabbitMQs, and the folders whose tests are repeated on them
	race       []string // patterns of packages
	each, once string   // build tags
}

// run runs all tests on the installed RabbitMQ, and those that asked for it on the others.
func (s suite) run(args []string, total *counts) error {
	var flags, patterns []string
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") {
			flags = append(flags, arg)
		} else {
			patterns = append(patterns, arg)
		}
	}
	raced, plain, err := splitPackages(s.race, patterns)
	if err != nil {
		return err
	}
	noted, err := os.MkdirTemp("", "clu-ws-tests-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(noted)
	file := filepath.Join(noted, "tests")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return err
	}
	// The race detector sees these tests in the first run, and takes most of their time: it does not repeat them.
	r, err := newRepeats(s.again, s.in, file, flags, total)
	if err != nil {
		return err
	}
	s.first(flags, raced, plain, goTest{env: []string{testkit.BrokerTestsFile + "=" + file}, ended: r.start}, total)
	r.wait(total)
	if s.once != "" {
		runTagged(s.once, "", flags, total)
	}
	if s.each != "" {
		for _, name := range append([]string{""}, s.again...) {
			runTagged(s.each, name, flags, total)
		}
	}
	return nil
}

// first runs every package once: those without the race detector, and the JavaScript tests, at the same time as those
// with it.
func (s suite) first(flags, raced, plain []string, tests goTest, total *counts) {
	others := newCounts()
	var running sync.WaitGroup
	if len(raced) > 0 {
		// These mostly wait. One at a time they would take longer than all the others.
		running.Go(func() {
			runIn(tests, slices.Concat([]string{"-p=1"}, flags), plain, others)
			runNode(".", others)
		})
		runIn(tests, slices.Concat([]string{"-race"}, flags), raced, total)
	} else {
		runIn(tests, flags, plain, total)
		runNode(".", total)
	}
	running.Wait()
	total.add(others)
}

// runIn runs the tests of some packages.
func runIn(tests goTest, flags, packages []string, total *counts) {
	if len(packages) > 0 {
		tests.args = slices.Concat(flags, packages)
		runGo(tests, total)
	}
}
