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

// repeats repeats tests on other RabbitMQs.
type repeats struct {
	module  string // the import path of the working directory
	brokers []cache.RabbitMQ
	in      []string // folders: see within
	tests   string   // the file in which package testkit records the tests
	flags   []string // of go test
	run     func(goTest, *counts)
	all     *jobs

	mu      sync.Mutex // guards the following field
	results []*counts  // one for each run; valid when all jobs have ended
}

// newRepeats looks up the RabbitMQs of these names.
func newRepeats(names, in []string, file string, flags []string, all *jobs, total *counts) (*repeats, error) {
	r := &repeats{in: in, tests: file, flags: flags, run: runGo, all: all}
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

// start adds a job for a package that has ended: its tests that asked for a RabbitMQ are repeated. These take long.
func (r *repeats) start(importPath string) {
	text, err := os.ReadFile(r.tests)
	if err != nil {
		return // the folder of this run was removed: count reports that nothing ran
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
		r.all.addFirst(func() {
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

// count is called when all jobs have ended.
func (r *repeats) count(total *counts) {
	if len(r.brokers) > 0 && len(r.results) == 0 {
		fmt.Println("no test asked for a RabbitMQ")
		total.failed++
	}
	for _, result := range r.results {
		total.add(result)
	}
}
