package bridge_test

import (
	"sync"
	"testing"
	"time"
)

// lag measures how late the machine makes this process. Time bounds must allow for that, or they
// would measure the machine's other load.
type lag struct {
	// mu guards the following field.
	mu   sync.Mutex
	late []lateness
}

type lateness struct {
	at time.Time
	by time.Duration
}

const lagTick = 5 * time.Millisecond

// measureLag measures until the test ends.
func measureLag(t *testing.T) *lag {
	l := &lag{}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			began := time.Now()
			select {
			case <-stop:
				return
			case <-time.After(lagTick):
			}
			if by := time.Since(began) - lagTick; by > lagTick {
				l.mu.Lock()
				l.late = append(l.late, lateness{time.Now(), by})
				l.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-ended })
	return l
}

// between returns the total lateness in a span of time.
func (l *lag) between(from, to time.Time) (sum time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range l.late {
		if x.at.After(from) && x.at.Add(-x.by).Before(to) {
			sum += x.by
		}
	}
	return sum
}
