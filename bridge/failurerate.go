package bridge

import (
	"sync"
	"time"
)

// Bounds of the failed replies a second that the bridge publishes for commands without a
// consumer: every client of every bridge on the exchange receives them.
const (
	maxFailures        = 100 // in all
	maxAddressFailures = 10  // for the clients of one address
)

// failureRate limits the failed replies that the bridge publishes for commands without a
// consumer.
type failureRate struct {
	now func() time.Time

	// mu guards the following fields.
	mu     sync.Mutex
	second int64          // the current second, since 1970
	all    int            // published in it
	each   map[string]int // by address
}

func newFailureRate() *failureRate {
	return &failureRate{now: time.Now, each: map[string]int{}}
}

// allow reports whether another failed reply may be published for a client of an address.
func (r *failureRate) allow(address string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if second := r.now().Unix(); second != r.second {
		r.second, r.all = second, 0
		clear(r.each)
	}
	if r.all >= maxFailures || r.each[address] >= maxAddressFailures {
		return false
	}
	r.all++
	r.each[address]++
	return true
}
