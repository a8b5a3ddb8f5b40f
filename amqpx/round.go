package amqpx

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// In a round every target is tried, until one is linked to or all have failed once. The
// first that accepts a connection gets the handshake; while one does not answer, the
// next is tried beside it (RFC 8305). A target that failed is tried again soon within
// the round: others may take their time to fail, and a broker that is back must not wait
// for them.

const (
	// nextAddressAfter is how long a TCP connection may take before the next address of
	// the same name is tried too, and nextURLAfter before the next URL is: its order is
	// the user's choice.
	nextAddressAfter = 300 * time.Millisecond
	nextURLAfter     = time.Second
	// yieldAfter is how long a target that accepted a connection may say nothing before
	// it gives way to another one that accepts, and yieldAgainAfter if it was silent the
	// last time too.
	yieldAfter      = 3 * time.Second
	yieldAgainAfter = 500 * time.Millisecond
	// silentFor is how long such a target is tried last.
	silentFor = time.Minute
	// restFor is the longest time for which a target that refused the link is left alone,
	// when what it refused will not mend itself.
	restFor = 10 * time.Second
)

// attempts is what is remembered from round to round.
type attempts struct {
	// told is why the last attempt at each URL failed.
	told map[string]string
	// resting are targets that are left alone.
	resting map[string]resting
	// silent are targets that did not answer, and since when.
	silent map[string]time.Time
}

type resting struct {
	until time.Time
	err   error
}

func newAttempts() *attempts {
	return &attempts{told: map[string]string{}, resting: map[string]resting{}, silent: map[string]time.Time{}}
}

// round belongs to the goroutine of Run, apart from what its scouts use.
type round struct {
	link    *Link
	past    *attempts
	targets []target
	skipped []failure          // targets that rest
	failed  map[string]failure // by target, the last one of each
	current int                // the target that has the handshake
	once    bool               // it is over as soon as all have failed
	backoff *backoff           // until the next round
	over    <-chan time.Time   // nil while not all have failed
	kept    []reached          // results that came while another target had the handshake

	// For the scouts, one a target.
	cancel  context.CancelFunc
	scouts  sync.WaitGroup
	results chan reached
	start   []chan struct{} // closed when the target may be tried
	again   []chan struct{} // the target's handshake has failed

	// releasing guards the following field.
	releasing sync.Mutex
	released  int // so many of start are closed
}

// reached is the outcome of one TCP connection.
type reached struct {
	target int
	conn   net.Conn
	err    error
}

// newRound resolves the names and begins. The target that served last, if any, has just
// failed: what is behind it comes first, and it comes last.
func (l *Link) newRound(ctx context.Context, past *attempts, pause *backoff, served *target) *round {
	ctx, cancel := context.WithCancel(ctx)
	r := &round{link: l, past: past, failed: map[string]failure{}, backoff: pause, cancel: cancel, results: make(chan reached)}
	targets := l.resolve(ctx)
	if served != nil {
		if at := slices.IndexFunc(targets, func(t target) bool { return t.key() == served.key() }); at >= 0 {
			targets = slices.Concat(targets[at+1:], targets[:at+1])
		}
	}
	r.order(targets, time.Now())
	for range r.targets {
		r.start = append(r.start, make(chan struct{}))
		r.again = append(r.again, make(chan struct{}, 1))
	}
	for i := range r.targets {
		r.scouts.Go(func() { r.scout(ctx, i) })
	}
	r.release(1)
	return r
}

// order leaves out the targets that rest, and puts those last that were silent.
func (r *round) order(targets []target, now time.Time) {
	maps.DeleteFunc(r.past.silent, func(_ string, since time.Time) bool { return now.Sub(since) > silentFor })
	maps.DeleteFunc(r.past.resting, func(_ string, rest resting) bool { return !now.Before(rest.until) })
	var last []target
	seen := map[string]bool{}
	for _, t := range targets {
		if seen[t.key()] {
			continue
		}
		seen[t.key()] = true
		_, silent := r.past.silent[t.key()]
		switch rest, rests := r.past.resting[t.key()]; {
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

// release lets the first so many targets be tried.
func (r *round) release(upTo int) {
	r.releasing.Lock()
	defer r.releasing.Unlock()
	for ; r.released < min(upTo, len(r.start)); r.released++ {
		close(r.start[r.released])
	}
}

// scout connects to a target again and again, until a connection is used.
func (r *round) scout(ctx context.Context, i int) {
	select {
	case <-r.start[i]:
	case <-ctx.Done():
		return
	}
	for ctx.Err() == nil {
		// The next one is tried beside a connection that takes long.
		next := time.AfterFunc(r.patience(i), func() { r.release(i + 2) })
		conn, err := r.link.dialTarget(ctx, r.targets[i], len(r.targets))
		next.Stop()
		select {
		case r.results <- reached{i, conn, err}:
		case <-ctx.Done():
			if conn != nil {
				conn.Close()
			}
			return
		}
		if err == nil {
			select {
			case <-r.again[i]:
			case <-ctx.Done():
				return
			}
		}
		r.release(i + 2)
		if len(r.targets) == 1 {
			return // the next round is as soon
		}
		wait(ctx, lastPause/2+rand.N(lastPause/2))
	}
}

// patience is how long a target may take before the next one is tried too.
func (r *round) patience(i int) time.Duration {
	if i+1 < len(r.targets) && r.targets[i].url == r.targets[i+1].url {
		return nextAddressAfter
	}
	return nextURLAfter
}

// next makes the link's place the next target that can be reached, and reports whether
// there was one before the round was over: that is a pause after all have failed.
func (r *round) next(ctx context.Context) bool {
	for {
		if r.over == nil && len(r.failed) == len(r.targets) {
			if r.once {
				return false
			}
			r.over = time.After(r.pause())
		}
		var got reached
		if len(r.kept) > 0 {
			got, r.kept = r.kept[0], r.kept[1:]
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
			r.current = got.target
			r.link.place = place{t, &listened{Conn: got.conn}}
			return true
		}
		r.noteSilent(t, got.err)
		r.fail(t, explain(got.err, t.url, r.link.cfg))
	}
}

// connect makes a session at the link's place. If that says nothing, it gives way to
// another target that accepts a connection.
func (r *round) connect(ctx context.Context) (*session, error) {
	at := r.link.place
	defer r.link.place.discard()
	if len(r.targets) == 1 {
		return r.link.connect(ctx, at.url)
	}
	attempt, giveUp := context.WithCancel(ctx)
	defer giveUp()
	var watching sync.WaitGroup
	connected, yielded := make(chan struct{}), false
	watching.Go(func() {
		yielded = r.otherAccepts(connected, at.conn)
		if yielded {
			giveUp()
		}
	})
	s, err := r.link.connect(attempt, at.url)
	close(connected)
	watching.Wait()
	if !yielded {
		return s, err
	}
	if s != nil {
		s.close()
	}
	return nil, &handshakeError{err: os.ErrDeadlineExceeded, socket: os.ErrDeadlineExceeded}
}

// otherAccepts reports whether the connection was silent for too long, and another target
// accepted one.
func (r *round) otherAccepts(connected <-chan struct{}, conn *listened) bool {
	wait := yieldAfter
	if _, silent := r.past.silent[r.targets[r.current].key()]; silent {
		wait = yieldAgainAfter
	}
	patience := time.NewTimer(wait)
	defer patience.Stop()
	select {
	case <-connected:
		return false
	case <-patience.C:
	}
	if conn.heard.Load() {
		return false
	}
	r.release(len(r.targets))
	for {
		select {
		case <-connected:
			return false
		case got := <-r.results:
			r.kept = append(r.kept, got)
			if got.err == nil && !conn.heard.Load() {
				return true
			}
		}
	}
}

// refused lets the next target be tried, since the handshake of this one has failed, and
// this one, too, if that may change soon.
func (r *round) refused(soon bool) {
	r.release(r.current + 2)
	if soon {
		r.again[r.current] <- struct{}{}
	}
}

// fail notes why a target failed. Once all addresses of its URL have, it is logged, and
// is the link's state.
func (r *round) fail(t target, err error) {
	r.failed[t.key()] = failure{t, err}
	for _, other := range r.targets {
		if _, failed := r.failed[other.key()]; other.url == t.url && !failed {
			return
		}
	}
	r.tell(t.url, r.failure(t.url))
}

// failure is why no address of the URL was linked to, or nil.
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

// broke notes why a link to the target ended.
func (r *round) broke(t target, err error) {
	r.tell(t.url, joinFailures([]failure{{t, err}}))
}

// tell has a log line for each change at each URL, not for each attempt.
func (r *round) tell(url string, err error) {
	if r.past.told[url] != err.Error() {
		r.link.log.Error("not linked to the broker; trying again", "error", err)
	}
	r.past.told[url] = err.Error()
	r.link.change(func(s *State) { *s = State{Err: err} })
}

// linked forgets what failed before, and names the addresses that were passed over.
func (r *round) linked(t target) {
	if err := r.failure(t.url); err != nil {
		r.link.log.Info("some addresses of the broker failed; another one is used", "address", t.host(), "error", err)
	}
	if r.link.unsettled < unsettledMost {
		clear(r.past.told)
	}
	clear(r.past.resting)
	delete(r.past.silent, t.key())
}

// rest keeps a target out of the next seconds: what it refused will not mend itself.
func (r *round) rest(t target, err error) {
	r.past.resting[t.key()] = resting{time.Now().Add(restFor/2 + rand.N(restFor/2)), err}
}

// noteSilent has a target that does not answer be tried last. It reports whether it does
// not.
func (r *round) noteSilent(t target, err error) (silent bool) {
	h, ok := errors.AsType[*handshakeError](err)
	if !ok {
		return false
	}
	network, ok := errors.AsType[net.Error](cmp.Or(h.socket, h.err))
	if silent = ok && network.Timeout(); silent {
		r.past.silent[t.key()] = time.Now()
	}
	return silent
}

// end closes what was not used.
func (r *round) end() {
	r.cancel()
	r.scouts.Wait()
	for _, got := range r.kept {
		if got.conn != nil {
			got.conn.Close()
		}
	}
	r.kept = nil
}

// pause is how long to wait until the next round.
func (r *round) pause() time.Duration {
	d := r.backoff.next()
	if until, all := r.allRest(); all {
		d = max(d, time.Until(until))
	}
	return d
}

// allRest reports whether every target rests, and until when the first does.
func (r *round) allRest() (until time.Time, all bool) {
	for _, t := range r.targets {
		if _, rests := r.past.resting[t.key()]; !rests {
			return time.Time{}, false
		}
	}
	for _, rest := range r.past.resting {
		if until.IsZero() || rest.until.Before(until) {
			until = rest.until
		}
	}
	return until, !until.IsZero()
}

// lastError is why the last URL failed.
func (r *round) lastError() error {
	for _, url := range slices.Backward(r.link.cfg.URLs) {
		if err := r.failure(url); err != nil {
			return err
		}
	}
	return errors.New("no address of the broker was tried")
}
