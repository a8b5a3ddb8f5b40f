package quota

import (
	"container/list"
	"sync"
	"time"
)

const (
	// Burst is for how long a user may save up what it may send.
	Burst = 10 * time.Second
	// maxInterval bounds the time between two of the lowest rate.
	maxInterval = 24 * time.Hour
	// maxIdleUsages bounds the users without a connection that are remembered. Whoever is
	// forgotten begins anew, which takes as many other users that are in use.
	maxIdleUsages = 10_000
)

// Usages counts what each user takes, over all its connections and over HTTP. Whoever has the same
// key is the same user.
type Usages struct {
	now func() time.Time

	// mu guards the following fields and what they point to.
	mu   sync.Mutex
	by   map[string]*Usage
	idle list.List // usages without a connection, the one that was used last in front
}

// Usage is what a user takes. Its key does not change.
type Usage struct {
	key         string
	connections int
	commands    bucket
	messages    bucket
	idle        *list.Element // nil while it has connections
}

// NewUsages returns usages that go by a clock; nil is [time.Now].
func NewUsages(now func() time.Time) *Usages {
	if now == nil {
		now = time.Now
	}
	return &Usages{now: now, by: map[string]*Usage{}}
}

// of returns the usage of a key. mu is held.
func (u *Usages) of(key string) *Usage {
	one := u.by[key]
	if one != nil {
		if one.idle != nil {
			u.idle.MoveToFront(one.idle)
		}
		return one
	}
	if u.idle.Len() >= maxIdleUsages {
		oldest := u.idle.Remove(u.idle.Back()).(*Usage)
		delete(u.by, oldest.key)
	}
	one = &Usage{key: key}
	one.idle = u.idle.PushFront(one)
	u.by[key] = one
	return one
}

// Full reports whether a user has as many connections as it may.
func (u *Usages) Full(key string, limit int) bool {
	if limit <= 0 {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	one := u.by[key]
	return one != nil && one.connections >= limit
}

// Connect counts a connection, up to the limit; 0 is none. It returns nil beyond it.
func (u *Usages) Connect(key string, limit int) *Usage {
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

// Disconnect uncounts a connection.
func (u *Usages) Disconnect(one *Usage) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if one.connections--; one.connections > 0 {
		return
	}
	one.idle = u.idle.PushFront(one)
	if u.idle.Len() > maxIdleUsages {
		oldest := u.idle.Remove(u.idle.Back()).(*Usage)
		delete(u.by, oldest.key)
	}
}

// TakeCommand takes one of the commands that a user may send, of which there are rate a second.
// Without one left, it returns how long to wait for it.
func (u *Usages) TakeCommand(key string, rate float64) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.of(key).commands.take(u.now(), rate)
}

// TakeMessage is [Usages.TakeCommand] for a message of any kind.
func (u *Usages) TakeMessage(key string, rate float64) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.of(key).messages.take(u.now(), rate)
}

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
	if wait := full.Sub(now) - max(Burst, each); wait > 0 {
		return wait
	}
	b.full = full
	return 0
}
