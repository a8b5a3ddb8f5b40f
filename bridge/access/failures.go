package access

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

const (
	failureBurst  = 20              // failed attempts of an address that are not slowed
	failureEvery  = time.Second     // one more is forgiven in this time
	failureMax    = 2048            // addresses in each of the two tables
	slowedAtOnce  = 2               // attempts of an address with too many failures that are decided at the same time
	slowedWaiting = 32              // how many of them wait
	slowedRetry   = 2 * time.Second // Retry-After of the attempts for which there is no room
)

// failures slows the failed attempts of an address. No address is locked out: a valid credential is
// accepted however many failures its address has had, because a whole observatory may be behind one
// proxy, with one page among many that has an old token. The attempts of an address with too many
// failures are decided two at a time, so that they do not occupy the slots or the application.
type failures struct {
	now func() time.Time

	mu       sync.Mutex // guards the following fields
	fresh    map[netip.Addr]*addressFailures
	previous map[netip.Addr]*addressFailures // moves to fresh when it is asked for, and is dropped when fresh is full
}

// addressFailures are the failures of an address: how many more it may have, at a time.
type addressFailures struct {
	left  float64
	at    time.Time
	lanes *slots
}

func newFailures(now func() time.Time) *failures { return &failures{now: now} }

// judge counts a verdict about a client that shows a credential, now or when it is decided
// later. A refusal of the credential becomes 429 if the address has had too many.
func (f *failures) judge(remote netip.Addr, v Verdict) Verdict {
	if !remote.IsValid() { // a Unix socket, which has permissions of its own
		return v
	}
	remote = network(remote)
	if v.Refusal != nil {
		return f.refused(remote, v)
	}
	if later := v.Later; later != nil {
		return Verdict{Later: func(ctx context.Context) Verdict { return f.later(ctx, remote, later) }}
	}
	return v
}

// later decides, and in a lane of the address if that has had too many failures.
func (f *failures) later(ctx context.Context, remote netip.Addr, decide func(context.Context) Verdict) Verdict {
	if lanes := f.slowed(remote); lanes != nil {
		if lanes.take(ctx) != nil {
			return tooMany(slowedRetry)
		}
		defer lanes.give()
	}
	return f.refused(remote, decide(ctx))
}

// refused counts a refusal, if that says that a credential is bad.
func (f *failures) refused(remote netip.Addr, v Verdict) Verdict {
	if v.Refusal == nil || v.Refusal.Status != 401 && v.Refusal.Status != 403 || v.Refusal.Code == "no_role" || v.Refusal.Code == "missing" {
		return v
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.of(remote)
	if a.left < 1 {
		return tooMany(time.Duration((1 - a.left) * float64(failureEvery)))
	}
	a.left--
	return v
}

// slowed returns the lanes of an address that has had too many failures, or nil.
func (f *failures) slowed(remote netip.Addr) *slots {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fresh[remote] == nil && f.previous[remote] == nil {
		return nil
	}
	if a := f.of(remote); a.left < 1 {
		if a.lanes == nil {
			a.lanes = newSlots(slowedAtOnce, slowedWaiting)
		}
		return a.lanes
	}
	return nil
}

// of returns the failures of an address as they are now.
func (f *failures) of(remote netip.Addr) *addressFailures {
	now := f.now()
	a := f.fresh[remote]
	if a == nil {
		if a = f.previous[remote]; a == nil {
			a = &addressFailures{left: failureBurst, at: now}
		}
		if f.fresh == nil || len(f.fresh) >= failureMax {
			f.previous, f.fresh = f.fresh, map[netip.Addr]*addressFailures{}
		}
		f.fresh[remote] = a
	}
	a.left = min(failureBurst, a.left+float64(now.Sub(a.at))/float64(failureEvery))
	a.at = now
	return a
}

// network returns the address that failures are counted for: for IPv6 that of the /64 network,
// which a single host may own.
func network(remote netip.Addr) netip.Addr {
	remote = remote.Unmap().WithZone("")
	if remote.Is6() {
		if prefix, err := remote.Prefix(64); err == nil {
			return prefix.Addr()
		}
	}
	return remote
}

func tooMany(retry time.Duration) Verdict {
	v := refuse(429, "too_many_failures", "your address has shown too many credentials that are not valid; try again later, with one that is")
	v.Refusal.RetryAfter = jitter(max(retry, time.Second))
	return v
}
