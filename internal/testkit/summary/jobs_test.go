package main

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestJobsRunAFewAtATimeWithThoseThatTheyAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // guards the following variables
		var running, most int
		var began []string
		j := newJobs()
		job := func(name string, then func()) func() {
			return func() {
				mu.Lock()
				began = append(began, name)
				running++
				most = max(most, running)
				takes := time.Duration(len(began)) * time.Second // no two end together
				mu.Unlock()
				time.Sleep(takes)
				if then != nil {
					then()
				}
				mu.Lock()
				running--
				mu.Unlock()
			}
		}
		j.add(job("a", func() { j.addFirst(job("a again", nil)) }))
		j.add(job("b", nil), job("c", nil))
		j.run(1)
		if want := []string{"a", "a again", "b", "c"}; !slices.Equal(began, want) || most != 1 {
			t.Errorf("%q began, %d at a time", began, most)
		}
		j.add(job("d", nil), job("e", func() { j.add(job("f", nil)) }))
		j.run(2)
		if most != 2 || len(began) != 7 {
			t.Errorf("%q began, %d at a time", began, most)
		}
		j.run(2) // nothing
	})
}
