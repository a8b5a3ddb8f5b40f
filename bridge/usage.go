package bridge

import (
	"container/list"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/quota"
)

const (
	// burst is for how long a principal may save up what it may send.
	burst = 10 * time.Second
	// maxInterval bounds the time between two of the lowest rate.
	maxInterval = 24 * time.Hour
	// maxIdleUsages bounds the principals without a connection that are remembered. A
	// forgotten one has its full limits again, which takes as many other principals in use.
	maxIdleUsages = 10_000
)

// usages counts what each principal takes, over all its connections and over HTTP. An anonymous
// client shares with those of its role at its address: otherwise one of them could use up what
// all of them have.
type usages struct {
	now func() time.Time

	// mu guards the following fields and what they point to.
	mu   sync.Mutex
	by   map[string]*usage
	idle list.List // usages without a connection, the one that was used last in front
}

// usage is what a principal takes. Its key does not change.
type usage struct {
	key         string
	connections int
	commands    bucket
	messages    bucket
	idle        *list.Element // nil while it has connections
}

func newUsages(now func() time.Time) *usages {
	if now == nil {
		now = time.Now
	}
	return &usages{now: now, by: map[string]*usage{}}
}

// usageKey returns a text that is equal for clients that share their limits.
func usageKey(p *access.Principal, remote string) string {
	if p.Name != "" {
		return "name " + p.Name
	}
	return "role " + quota.Address(remote) + " " + p.Role
}

// of returns the usage of a key. mu is held.
func (u *usages) of(key string) *usage {
	one := u.by[key]
	if one != nil {
		if one.idle != nil {
			u.idle.MoveToFront(one.idle)
		}
		return one
	}
	if u.idle.Len() >= maxIdleUsages {
		oldest := u.idle.Remove(u.idle.Back()).(*usage)
		delete(u.by, oldest.key)
	}
	one = &usage{key: key}
	one.idle = u.idle.PushFront(one)
	u.by[key] = one
	return one
}

// full reports whether a principal has as many connections as it may.
func (u *usages) full(key string, limit int) bool {
	if limit <= 0 {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	one := u.by[key]
	return one != nil && one.connections >= limit
}

// connect counts a connection, up to the limit; 0 is none. It returns nil beyond it.
func (u *usages) connect(key string, limit int) *usage {
	u.mu.Lock()
	defer u.mu.Unlock()
	one := u.of(key)
	if limit > 0 && one.connections >= limit {
		return nil
	}
	if one.connections++; one.idle != nil {
		u.idle.Remove(one.idle)
		one.idle = nil
	}
	return one
}

// disconnect uncounts a connection.
func (u *usages) disconnect(one *usage) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if one.connections--; one.connections > 0 {
		return
	}
	one.idle = u.idle.PushFront(one)
	if u.idle.Len() > maxIdleUsages {
		oldest := u.idle.Remove(u.idle.Back()).(*usage)
		delete(u.by, oldest.key)
	}
}

// take takes one of what a principal may send, of which there are rate a second. Without one
// left, it returns how long to wait for it.
func (u *usages) take(key string, which func(*usage) *bucket, rate float64) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	return which(u.of(key)).take(u.now(), rate)
}

func commandsOf(one *usage) *bucket { return &one.commands }
func messagesOf(one *usage) *bucket { return &one.messages }

// bucket is a bucket of tokens, as the time at which it is full again. So it has no rate of its
// own: a changed one counts from the next token on.
type bucket struct{ full time.Time }

// take takes a token, or returns how long it takes until there is one.
func (b *bucket) take(now time.Time, rate float64) time.Duration {
	each := time.Duration(min(float64(time.Second)/rate, float64(maxInterval)))
	full := b.full
	if full.Before(now) {
		full = now
	}
	full = full.Add(each)
	if wait := full.Sub(now) - max(burst, each); wait > 0 {
		return wait
	}
	b.full = full
	return 0
}
