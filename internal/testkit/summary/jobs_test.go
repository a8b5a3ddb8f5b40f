package main

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestJobsRunAFewAtATimeWithThoseThatTheyAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		var began []string
		j := newJobs()
		job := func(name string, then func()) func() {
			return func() {
				began = append(began, name)
				most.Store(max(most.Load(), running.Add(1)))
				time.Sleep(time.Duration(len(began)) * time.Second) // no two end together
				if then != nil {
					then()
				}
				running.Add(-1)
			}
		}
		j.add(job("a", func() { j.addFirst(job("a again", nil)) }))
		j.add(job("b", nil), job("c", nil))
		j.run(1)
		if want := []string{"a", "a again", "b", "c"}; !slices.Equal(began, want) || most.Load() != 1 {
			t.Errorf("%q began, %d at a time", began, most.Load())
		}
		j.add(job("d", nil), job("e", func() { j.add(job("f", nil)) }))
		j.run(2)
		if most.Load() != 2 || len(began) != 7 {
			t.Errorf("%q began, %d at a time", began, most.Load())
		}
		j.run(2) // nothing
	})
}
