package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// suite is what runs beyond one `go test`.
type suite struct {
	again, in  []string // other RabbitMQs, and the folders whose tests are repeated on them
	race       []string // patterns of packages
	each, once string   // build tags
	atATime    int      // how many runs of go test
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
	all := newJobs()
	r, err := newRepeats(s.again, s.in, file, flags, all, total)
	if err != nil {
		return err
	}
	results, err := s.plan(flags, patterns, goTest{env: []string{testkit.BrokerTestsFile + "=" + file}, ended: r.start}, all)
	if err != nil {
		return err
	}
	all.run(s.atATime)
	for _, result := range results {
		total.add(result)
	}
	r.count(total)
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

// plan adds a job for each run of go test, and one for the JavaScript tests, and returns their counts. If some packages run
// with the race detector, each that a pattern names alone has a run of its own, in that order: one that takes long begins
// early.
func (s suite) plan(flags, patterns []string, tests goTest, all *jobs) (results []*counts, err error) {
	add := func(job func(total *counts)) {
		result := newCounts()
		results = append(results, result)
		all.add(func() { job(result) })
	}
	raced, plain, err := splitPackages(s.race, patterns)
	if err != nil {
		return nil, err
	}
	if len(s.race) > 0 {
		long, err := listPackages(slices.DeleteFunc(slices.Clone(patterns), func(p string) bool { return strings.Contains(p, "...") }))
		if err != nil {
			return nil, err
		}
		for _, name := range long {
			add(func(total *counts) {
				runIn(tests, withRace(flags, slices.Contains(raced, name)), []string{name}, total)
			})
		}
		isLong := func(name string) bool { return slices.Contains(long, name) }
		one := slices.Concat([]string{"-p=1"}, flags) // package at a time
		rest, plainRest := slices.DeleteFunc(slices.Clone(raced), isLong), slices.DeleteFunc(slices.Clone(plain), isLong)
		add(func(total *counts) { runIn(tests, withRace(one, true), rest, total) })
		add(func(total *counts) { runIn(tests, one, plainRest, total) })
	} else {
		add(func(total *counts) { runIn(tests, flags, plain, total) })
	}
	add(func(total *counts) { runNode(".", total) })
	return results, nil
}

// withRace adds the flag of the race detector.
func withRace(flags []string, race bool) []string {
	if race {
		return slices.Concat([]string{"-race"}, flags)
	}
	return flags
}

// runIn runs the tests of some packages.
func runIn(tests goTest, flags, packages []string, total *counts) {
	if len(packages) > 0 {
		tests.args = slices.Concat(flags, packages)
		runGo(tests, total)
	}
}
