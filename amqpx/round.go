package amqpx

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// A round tries every target until the link is made to one of them or all have failed once. The
// first target that accepts a connection gets the handshake; while it does not answer, the next
// one is tried in parallel (RFC 8305). A target that failed is tried again within the round:
// others may take long to fail, and a broker that is back must not wait for them.

const (
	// nextAddressAfter is how long a TCP connection may take before the next address of the
	// same name is also tried. nextURLAfter is longer, because the user chose the order of the
	// URLs.
	nextAddressAfter = 300 * time.Millisecond
	nextURLAfter     = time.Second
	// yieldAfter is how long a target that accepted a connection may be silent before it gives
	// way to another one that accepts. yieldAgainAfter is for a target that was also silent
	// the last time.
	yieldAfter      = 3 * time.Second
	yieldAgainAfter = 500 * time.Millisecond
	// unresponsiveFor is for how long such a target is tried last.
	unresponsiveFor = time.Minute
	// maxCooldown is the longest time for which a target is left alone after a permanent
	// error.
	maxCooldown = 10 * time.Second
)

// targetMemory is kept from round to round.
type targetMemory struct {
	// logged is why the last attempt at each URL failed.
	logged map[string]string
	// coolingDown are targets that are left alone.
	coolingDown map[string]cooldown
	// unresponsive are targets that did not answer, and since when.
	unresponsive map[string]time.Time
}

type cooldown struct {
	until time.Time
	err   error
}

func newTargetMemory() *targetMemory {
	return &targetMemory{logged: map[string]string{}, coolingDown: map[string]cooldown{}, unresponsive: map[string]time.Time{}}
}

// round belongs to the goroutine of Run, apart from what its dialers use.
type round struct {
	link        *Link
	memory      *targetMemory
	targets     []target
	skipped     []failure          // targets that are left alone
	failed      map[string]failure // by target, the last one of each
	handshaking int                // the target that has the handshake
	once        bool               // the round ends as soon as all have failed
	backoff     *backoff           // until the next round
	over        <-chan time.Time   // nil while not all have failed
	surplus     []dialResult       // connections that came while another target had the handshake

	// For the dialers, one for each target.
	cancel  context.CancelFunc
	dialers sync.WaitGroup
	results chan dialResult
	start   []chan struct{} // closed when the target may be tried
	retry   []chan struct{} // the target's handshake has failed

	// releasing guards the following field.
	releasing sync.Mutex
	released  int // how many of start are closed
}

// newRound resolves the names and begins. The target that served last, if any, has just failed:
// the targets after it come first, and it comes last.
func (l *Link) newRound(ctx context.Context, memory *targetMemory, pause *backoff, served *target) *round {
	ctx, cancel := context.WithCancel(ctx)
	r := &round{link: l, memory: memory, failed: map[string]failure{}, backoff: pause, cancel: cancel, results: make(chan dialResult)}
	targets := l.resolve(ctx)
	if served != nil {
		if at := slices.IndexFunc(targets, func(t target) bool { return t.key() == served.key() }); at >= 0 {
			targets = slices.Concat(targets[at+1:], targets[:at+1])
		}
	}
	r.order(targets, time.Now())
	for range r.targets {
		r.start = append(r.start, make(chan struct{}))
		r.retry = append(r.retry, make(chan struct{}, 1))
	}
	for i := range r.targets {
		r.dialers.Go(func() { r.dialTarget(ctx, i) })
	}
	r.release(1)
	return r
}

// order leaves out the targets that cool down, and puts those that did not answer last.
func (r *round) order(targets []target, now time.Time) {
	maps.DeleteFunc(r.memory.unresponsive, func(_ string, since time.Time) bool { return now.Sub(since) > unresponsiveFor })
	maps.DeleteFunc(r.memory.coolingDown, func(_ string, rest cooldown) bool { return !now.Before(rest.until) })
	var last []target
	seen := map[string]bool{}
	for _, t := range targets {
		if seen[t.key()] {
			continue
		}
		seen[t.key()] = true
		_, silent := r.memory.unresponsive[t.key()]
		switch rest, rests := r.memory.coolingDown[t.key()]; {
		case rests:
			r.skipped = append(r.skipped, failure{t, rest.err})
		case silent:
			last = append(last, t)
		default:
			r.targets = append(r.targets, t)
		}
	}
	r.targets = append(r.targets, last...)
}

// next makes the next reachable target the current one. It returns false if there was none
// before the round was over, a pause after all have failed.
func (r *round) next(ctx context.Context) bool {
	for {
		if r.over == nil && len(r.failed) == len(r.targets) {
			if r.once {
				return false
			}
			r.over = time.After(r.pause())
		}
		var got dialResult
		if len(r.surplus) > 0 {
			got, r.surplus = r.surplus[0], r.surplus[1:]
		} else {
			select {
			case got = <-r.results:
			case <-r.over:
				return false
			case <-ctx.Done():
				return false
			}
		}
		t := r.targets[got.target]
		if got.err == nil {
			r.handshaking = got.target
			r.link.current = currentTarget{t, &heardConn{Conn: got.conn}}
			return true
		}
		r.noteUnresponsive(t, got.err)
		r.fail(t, explain(got.err, t.url, r.link.cfg))
	}
}

// fail records why a target failed. Once all addresses of its URL have failed, the error is
// logged and becomes the link's state.
func (r *round) fail(t target, err error) {
	r.failed[t.key()] = failure{t, err}
	for _, other := range r.targets {
		if _, failed := r.failed[other.key()]; other.url == t.url && !failed {
			return
		}
	}
	r.report(t.url, r.failure(t.url))
}

// failure returns why no address of the URL could be used, or nil.
func (r *round) failure(url string) error {
	var failures []failure
	for _, f := range r.skipped {
		if f.target.url == url {
			failures = append(failures, f)
		}
	}
	for _, f := range r.failed {
		if f.target.url == url {
			failures = append(failures, f)
		}
	}
	return joinFailures(failures)
}

// broke records why a link to the target ended.
func (r *round) broke(t target, err error) {
	r.report(t.url, joinFailures([]failure{{t, err}}))
}

// report logs an error once, not at each attempt at the URL, and makes it the link's state.
func (r *round) report(url string, err error) {
	if r.memory.logged[url] != err.Error() {
		r.link.log.Error("not linked to the broker; trying again", "exchange", r.link.cfg.Exchange, "error", err)
	}
	r.memory.logged[url] = err.Error()
	r.link.change(func(s *State) { *s = State{Err: err} })
}

// linked clears the earlier failures and logs the addresses that were skipped.
func (r *round) linked(t target) {
	if err := r.failure(t.url); err != nil {
		r.link.log.Info("some addresses of the broker failed; another one is used", "address", t.host(), "error", err)
	}
	if r.link.flaps < maxFlaps {
		clear(r.memory.logged)
	}
	clear(r.memory.coolingDown)
	delete(r.memory.unresponsive, t.key())
}

// coolDown keeps a target out of the next rounds after a permanent error.
func (r *round) coolDown(t target, err error) {
	r.memory.coolingDown[t.key()] = cooldown{time.Now().Add(maxCooldown/2 + r.link.cfg.Jitter(maxCooldown/2)), err}
}

// noteUnresponsive reports whether the error is that the target did not answer. Such a target is
// tried last from now on.
func (r *round) noteUnresponsive(t target, err error) (silent bool) {
	h, ok := errors.AsType[*handshakeError](err)
	if !ok {
		return false
	}
	network, ok := errors.AsType[net.Error](cmp.Or(h.socket, h.err))
	if silent = ok && network.Timeout(); silent {
		r.memory.unresponsive[t.key()] = time.Now()
	}
	return silent
}

// end closes the connections that were not used.
func (r *round) end() {
	r.cancel()
	r.dialers.Wait()
	for _, got := range r.surplus {
		if got.conn != nil {
			got.conn.Close()
		}
	}
	r.surplus = nil
}

// pause returns how long to wait until the next round.
func (r *round) pause() time.Duration {
	d := r.backoff.next()
	if until, all := r.allCoolingDown(); all {
		d = max(d, time.Until(until))
	}
	return d
}

// allCoolingDown reports whether every target cools down, and until when the first one does.
func (r *round) allCoolingDown() (until time.Time, all bool) {
	for _, t := range r.targets {
		if _, rests := r.memory.coolingDown[t.key()]; !rests {
			return time.Time{}, false
		}
	}
	for _, rest := range r.memory.coolingDown {
		if until.IsZero() || rest.until.Before(until) {
			until = rest.until
		}
	}
	return until, !until.IsZero()
}

// lastError returns why the last URL failed.
func (r *round) lastError() error {
	for _, url := range slices.Backward(r.link.cfg.URLs) {
		if err := r.failure(url); err != nil {
			return err
		}
	}
	return errors.New("no address of the broker was tried")
}
