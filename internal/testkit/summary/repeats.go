package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// repeatedAtATime is how many packages are repeated at a time, and one less while others still run for the first time:
// their tests have deadlines in real time, which an overloaded machine would miss.
const repeatedAtATime = 2

// repeats repeats tests on other RabbitMQs.
type repeats struct {
	module  string // the import path of the working directory
	brokers []cache.RabbitMQ
	in      []string // folders: see within
	tests   string   // the file in which package testkit records the tests
	flags   []string // of go test
	run     func(goTest, *counts)

	running sync.WaitGroup
	places  chan struct{} // holds a value for each package that is being repeated, and one for the first runs

	mu      sync.Mutex // guards the following field
	results []*counts  // one for each run; valid when all have ended
}

// newRepeats looks up the RabbitMQs of these names.
func newRepeats(names, in []string, file string, flags []string, total *counts) (*repeats, error) {
	r := &repeats{in: in, tests: file, flags: flags, run: runGo, places: make(chan struct{}, repeatedAtATime)}
	r.places <- struct{}{}
	text, err := os.ReadFile("go.mod")
	if err != nil {
		return nil, err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	module, ok := bytes.CutPrefix(line, []byte("module "))
	if !ok {
		return nil, errors.New("the first line of go.mod does not name the module")
	}
	r.module = string(bytes.TrimSpace(module))
	for _, name := range names {
		broker, err := rabbitMQ(name)
		if err != nil {
			total.miss(fmt.Sprintf("MISSING RabbitMQ (%s): %v; its tests did not run", name, err))
			continue
		}
		if broker.Instead != "" {
			fmt.Printf("RabbitMQ %s is used instead of the newest: %s\n", broker.Version, broker.Instead)
		}
		r.brokers = append(r.brokers, broker)
	}
	return r, nil
}

// start schedules a package that has ended: its tests that asked for a RabbitMQ are repeated when there is a place.
func (r *repeats) start(importPath string) {
	text, err := os.ReadFile(r.tests)
	if err != nil {
		return // the folder of this run was removed: wait reports that nothing ran
	}
	users := slices.DeleteFunc(within(readBrokerTests(string(text)), r.in), func(u brokerTest) bool { return r.importPath(u.folder) != importPath })
	if len(users) == 0 {
		return
	}
	pattern, packages := selection(users)
	for _, broker := range r.brokers {
		result := newCounts()
		r.mu.Lock()
		r.results = append(r.results, result)
		r.mu.Unlock()
		r.running.Go(func() {
			r.places <- struct{}{}
			defer func() { <-r.places }()
			r.run(goTest{
				args: slices.Concat(r.flags, []string{"-run=" + pattern}, packages),
				env:  []string{rabbitFolder + "=" + broker.Bin},
				on:   " on RabbitMQ " + broker.Version,
			}, result)
		})
	}
}

// importPath returns the import path of the package in a folder, or "" if the folder is not in the module.
func (r *repeats) importPath(folder string) string {
	root, err := filepath.Abs(".")
	if err != nil {
		return ""
	}
	below, err := filepath.Rel(root, folder)
	if err != nil || !filepath.IsLocal(below) {
		return ""
	}
	if below == "." {
		return r.module
	}
	return r.module + "/" + filepath.ToSlash(below)
}

// wait is called when all have run once. It returns when all repeats have ended and are counted.
func (r *repeats) wait(total *counts) {
	<-r.places
	r.running.Wait()
	if len(r.brokers) > 0 && len(r.results) == 0 {
		fmt.Println("no test asked for a RabbitMQ")
		total.failed++
	}
	for _, result := range r.results {
		total.add(result)
	}
}
