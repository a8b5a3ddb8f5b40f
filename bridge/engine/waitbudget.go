package engine

import (
	"sync/atomic"
	"time"
)

const (
	// mostWaiting is how long the sources of all logs together wait for followers on
	// goroutines that stand still, before they go on without them.
	mostWaiting = 40 * time.Millisecond
	// waitingEarned is how much of it comes back with each tick.
	waitingEarned = 10 * time.Millisecond
)

// waitBudget is for how long sources may yet wait in vain. It is one for all logs:
// sixty clients with a log of their own each that all stand still hold the others up
// for no longer than one does.
type waitBudget struct{ left atomic.Int64 }

func (p *waitBudget) fill() { p.left.Store(int64(mostWaiting)) }

// wait waits for room, or in vain until the budget is used up. Only the latter uses it up.
func (p *waitBudget) wait(room <-chan struct{}) bool {
	left := time.Duration(p.left.Load())
	if left <= 0 {
		return false
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-room:
		return true
	case <-timer.C:
		p.left.Add(-int64(left))
		return false
	}
}

// recover gives some of it back.
func (p *waitBudget) recover() {
	p.left.Store(min(p.left.Load()+int64(waitingEarned), int64(mostWaiting)))
}
