package main

import "sync"

// jobs runs a few jobs at a time: the tests of a package start brokers and browsers and have deadlines in real time, which
// an overloaded machine would miss.
type jobs struct {
	mu      sync.Mutex
	changed sync.Cond // a job was added, or has ended
	waiting []func()
	running int
}

func newJobs() *jobs {
	j := &jobs{}
	j.changed.L = &j.mu
	return j
}

// add adds jobs behind those that wait.
func (j *jobs) add(more ...func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.waiting = append(j.waiting, more...)
	j.changed.Broadcast()
}

// addFirst adds a job before those that wait.
func (j *jobs) addFirst(job func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.waiting = append([]func(){job}, j.waiting...)
	j.changed.Broadcast()
}

// run runs all jobs, and those that they add, and returns when all have ended.
func (j *jobs) run(atATime int) {
	var workers sync.WaitGroup
	for range atATime {
		workers.Go(func() {
			for job := j.next(); job != nil; job = j.next() {
				job()
				j.end()
			}
		})
	}
	workers.Wait()
}

// next waits for a job. It returns nil if there will be no more.
func (j *jobs) next() (job func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.waiting) == 0 {
		if j.running == 0 {
			return nil
		}
		j.changed.Wait()
	}
	job, j.waiting = j.waiting[0], j.waiting[1:]
	j.running++
	return job
}

func (j *jobs) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.running--
	j.changed.Broadcast()
}
