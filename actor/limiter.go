package actor

import (
	"fmt"
	"sync"
)

// limiter bounds the commands that run at once.
type limiter struct {
	limit int
	tasks sync.WaitGroup

	// mu guards the following fields.
	mu      sync.Mutex
	count   int
	stopped bool
}

// acquire takes a place, or returns a sentence that says why there is none.
func (l *limiter) acquire() (refusal string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.stopped:
		return "The actor is stopping and takes no more commands."
	case l.count >= l.limit:
		return fmt.Sprintf("The actor is busy with %d commands; try again when one of them has ended.", l.count)
	}
	l.count++
	l.tasks.Add(1)
	return ""
}

// release gives up a place.
func (l *limiter) release() {
	l.mu.Lock()
	l.count--
	l.mu.Unlock()
	l.tasks.Done()
}

// stop refuses new commands.
func (l *limiter) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
}

// wait waits until every place has been released. It is called after stop.
func (l *limiter) wait() { l.tasks.Wait() }
