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

// repeatedAtATime is how many packages run again at a time. They do so when all have run for the first time: what
// they do to a broker has bounds in real time, which a machine that has too much to do does not keep.
const repeatedAtATime = 2

// repeats runs tests again, on other RabbitMQs, when all have run for the first time.
type repeats struct {
	module  string // the import path of the working directory
	brokers []cache.RabbitMQ
	in      []string // folders: see within
	users   string   // the file in which package testkit notes the tests
	flags   []string // of go test
	run     func(goTest, *counts)

	running sync.WaitGroup
	first   chan struct{} // closed when all have run for the first time
	places  chan struct{}
	results []*counts // one of each run; to be read when all have ended
}

// newRepeats finds the RabbitMQs of these names.
func newRepeats(names, in []string, users string, flags []string, total *counts) (*repeats, error) {
	r := &repeats{in: in, users: users, flags: flags, run: runGo, first: make(chan struct{}), places: make(chan struct{}, repeatedAtATime)}
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
			fmt.Printf("RabbitMQ %s takes the place of the newest: %s\n", broker.Version, broker.Instead)
		}
		r.brokers = append(r.brokers, broker)
	}
	return r, nil
}

// start has the tests of a package that has ended run again later, those that asked for a RabbitMQ.
func (r *repeats) start(importPath string) {
	text, err := os.ReadFile(r.users)
	if err != nil {
		return // the directory of this run has been removed: wait says that nothing ran
	}
	users := slices.DeleteFunc(within(readBrokerTests(string(text)), r.in), func(u brokerTest) bool { return r.importPath(u.folder) != importPath })
	if len(users) == 0 {
		return
	}
	pattern, packages := selection(users)
	for _, broker := range r.brokers {
		result := newCounts()
		r.results = append(r.results, result)
		r.running.Go(func() {
			<-r.first
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

// importPath is that of the package in a folder; "" if the folder is not in the module.
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

// wait begins to run them, and returns when all have ended and are counted.
func (r *repeats) wait(total *counts) {
	close(r.first)
	r.running.Wait()
	if len(r.brokers) > 0 && len(r.results) == 0 {
		fmt.Println("no test asked for a RabbitMQ")
		total.failed++
	}
	for _, result := range r.results {
		total.add(result)
	}
}
