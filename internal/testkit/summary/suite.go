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

	run func(goTest, *counts) // runGo
}

// runAll runs all tests on the installed RabbitMQ, and those that asked for it on the others.
func (s suite) runAll(args []string, total *counts) error {
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
// with the race detector, each that a pattern names alone has a run of its own, and the others that a pattern matches have one
// with it and one without, all in the order of the patterns: what takes long should begin early.
func (s suite) plan(flags, patterns []string, tests goTest, all *jobs) (results []*counts, err error) {
	add := func(flags, packages []string) {
		if len(packages) == 0 {
			return
		}
		result := newCounts()
		results = append(results, result)
		tests.args = slices.Concat(flags, packages)
		this := tests
		all.add(func() { s.run(this, result) })
	}
	raced, plain, err := splitPackages(s.race, patterns)
	if err != nil {
		return nil, err
	}
	if len(s.race) == 0 {
		add(flags, plain)
	} else {
		planned, err := listPackages(slices.DeleteFunc(slices.Clone(patterns), isWildcard))
		if err != nil {
			return nil, err
		}
		for _, pattern := range patterns {
			matched, err := listPackages([]string{pattern})
			if err != nil {
				return nil, err
			}
			if !isWildcard(pattern) {
				add(withRace(flags, slices.Contains(raced, matched[0])), matched)
				continue
			}
			rest := slices.DeleteFunc(matched, func(name string) bool { return slices.Contains(planned, name) })
			planned = append(planned, rest...)
			one := slices.Concat([]string{"-p=1"}, flags) // package at a time
			add(withRace(one, true), slices.DeleteFunc(slices.Clone(rest), func(name string) bool { return !slices.Contains(raced, name) }))
			add(one, slices.DeleteFunc(slices.Clone(rest), func(name string) bool { return slices.Contains(raced, name) }))
		}
	}
	scripts := newCounts()
	all.add(func() { runNode(".", scripts) })
	return append(results, scripts), nil
}

func isWildcard(pattern string) bool { return strings.Contains(pattern, "...") }

// withRace adds the flag of the race detector.
func withRace(flags []string, race bool) []string {
	if race {
		return slices.Concat([]string{"-race"}, flags)
	}
	return flags
}
