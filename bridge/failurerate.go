package bridge

import (
	"sync"
	"time"
)

// How many failed replies the bridge publishes a second for commands to nobody, and how
// many of them for the clients of one address. The exchange is everyone's, and each
// client of every bridge gets them.
const (
	maxFailures      = 100
	maxFailuresOfOne = 10
)

// failureRate bounds how many failed replies the bridge publishes for commands to
// nobody: in all, and for each address.
type failureRate struct {
	now func() time.Time

	// mu guards the following fields.
	mu     sync.Mutex
	second int64          // the one that is counted, since 1970
	all    int            // in it
	each   map[string]int // by address
}

func newFailureRate() *failureRate {
	return &failureRate{now: time.Now, each: map[string]int{}}
}

// allows reports whether another one may be published, for a client of an address.
func (r *failureRate) allows(address string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if second := r.now().Unix(); second != r.second {
		r.second, r.all = second, 0
		clear(r.each)
	}
	if r.all >= maxFailures || r.each[address] >= maxFailuresOfOne {
		return false
	}
	r.all++
	r.each[address]++
	return true
}
