package engine

import (
	"sync/atomic"
	"time"
)

const (
	// mostWaiting is how long the sources of all logs together wait for stuck followers
	// on goroutines before they go on without them.
	mostWaiting = 40 * time.Millisecond
	// waitingEarned is how much of the budget each tick restores.
	waitingEarned = 10 * time.Millisecond
)

// waitBudget is how long sources may still wait in vain. All logs share it: sixty stuck
// clients, each with a log of its own, delay the others no longer than one does.
type waitBudget struct{ left atomic.Int64 }

func (p *waitBudget) fill() { p.left.Store(int64(mostWaiting)) }

// wait waits for room until the budget is used up. Only waiting in vain uses it up.
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

// recover restores some of the budget.
func (p *waitBudget) recover() {
	p.left.Store(min(p.left.Load()+int64(waitingEarned), int64(mostWaiting)))
}
