package amqpx

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Link is a supervised connection to a broker. Its methods may be called from any goroutine.
type Link struct {
	cfg     Config
	log     *slog.Logger
	outbox  *outbox
	pauses  pauseWatch // when the process was paused
	dialTCP func(ctx context.Context, network, addr string) (net.Conn, error)
	// certificateEnd is that of Stats, nil without TLS. Handshakes store it.
	certificateEnd atomic.Pointer[time.Time]
	serving        atomic.Pointer[session] // the session that carries messages; nil if there is none

	// The following fields belong to the goroutine of Run.

	consumerStates []*consumerState // one for each of cfg.Queues, from session to session
	current        currentTarget    // the target that the link is connected or connecting to
	sizeLimits     map[string]int64 // the limit that each target has shown
	flaps          int              // how many connections in a row broke early
	skippedPoison  bool             // the last session got past a poison message

	// Each kind of refusal is logged once in the life of a link.
	loggedNoSentinel    bool
	loggedNoGeneration  bool
	loggedNoDeadLetters atomic.Bool
	loggedNoGate        bool

	// Messages that the broker refuses. Run stores this, Publish loads it.

	sizeLimit  atomic.Int64                       // the longest body in bytes; 0 if unknown
	denied     atomic.Pointer[denial]             // nothing may be published; nil if it may
	deniedKeys atomic.Pointer[map[string]*denial] // nothing may be published with these keys; never changed in place

	// announcing is held during a change of state and its OnState call, so that the calls are
	// in the order of the changes. It is locked before mu.
	announcing sync.Mutex
	// mu guards the following fields.
	mu             sync.Mutex
	state          State
	changed        chan struct{} // closed at the next change of state
	noProbesUntil  time.Time     // the broker has refused a probe
	loggedNoProbes bool
}

// New checks the configuration and returns a link. Nothing is dialled before [Link.Run].
func New(cfg Config) (*Link, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	l := &Link{
		cfg:        cfg,
		log:        cfg.Logger,
		outbox:     newOutbox(cfg.MaxPending, cfg.MaxInFlight, cfg.PublishTimeout),
		sizeLimits: map[string]int64{},
		changed:    make(chan struct{}),
		dialTCP:    dialTCP,
	}
	if cfg.Dial != nil {
		l.dialTCP = func(_ context.Context, network, addr string) (net.Conn, error) { return cfg.Dial(network, addr) }
	}
	l.outbox.checks = cfg.CheckQueues
	for _, q := range cfg.Queues {
		l.consumerStates = append(l.consumerStates, newConsumerState(q, cfg.Prefetch, cfg.Logger))
	}
	return l, nil
}

// keeps reports whether any of the queues outlives the link.
func (l *Link) keeps() bool { return slices.ContainsFunc(l.cfg.Queues, Queue.livesOn) }

// Run keeps the link up until the context ends. Then it waits for the confirms of what was
// sent, for at most the publish timeout, and closes. A link runs once. The error is nil, or,
// with FailFast, the reason why the first connection failed.
func (l *Link) Run(ctx context.Context) error {
	sweeper := make(chan struct{})
	defer func() { <-sweeper }()
	sweepCtx, stopSweeping := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSweeping()
	go func() {
		defer close(sweeper)
		l.sweep(sweepCtx)
	}()

	err := l.supervise(ctx)
	l.change(func(s *State) { *s = State{Err: ErrClosed} })
	return err
}

// stableAfter is how long a connection must have lasted for the next pause to be short
// again: a link that breaks as soon as it is made must not reconnect in a storm.
const stableAfter = 5 * time.Second

// noticedAfter is how long a broker may take to notice that a connection is gone. It is
// enough for a heartbeat of up to a minute: RabbitMQ waits for two.
const noticedAfter = 2 * time.Minute

// supervise connects, serves, and connects again until the context ends.
func (l *Link) supervise(ctx context.Context) error {
	v := &supervisor{link: l, pause: backoff{jitter: l.cfg.Jitter}, memory: newTargetMemory(), lostAt: time.Now()}
	var served *target
	for ctx.Err() == nil {
		r := l.newRound(ctx, v.memory, &v.pause, served)
		r.once = l.cfg.FailFast && !v.linked
		served = v.try(ctx, r)
		r.end()
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // a link that is told to end returns no error
		case served != nil:
			wait(ctx, r.pause())
		case r.once:
			return r.lastError()
		}
	}
	return nil
}

// supervisor is what supervise remembers from round to round.
type supervisor struct {
	link   *Link
	pause  backoff
	memory *targetMemory
	linked bool      // the link was up
	lostAt time.Time // when the last connection of this link, or of an earlier process, ended
}

// try connects to the targets of a round until a session has served, and returns its target; nil
// if there was none.
func (v *supervisor) try(ctx context.Context, r *round) (served *target) {
	for served == nil && r.next(ctx) {
		at := v.link.current.target
		s, err := r.connect(ctx)
		if err == nil {
			err = v.serve(ctx, r, s, at)
			served = &at
		}
		if ctx.Err() != nil {
			return served
		}
		v.noteEnd(r, at, err, served != nil)
	}
	return served
}

// serve carries messages until the session ends, and returns why it ended.
func (v *supervisor) serve(ctx context.Context, r *round, s *session, at target) error {
	l, up := v.link, time.Now()
	r.end()
	r.linked(at)
	v.linked = true
	l.sizeLimit.Store(l.sizeLimits[at.key()])
	err := s.serve(ctx)
	v.lostAt = time.Now()
	l.noteUptime(v.lostAt.Sub(up))
	l.noteSizeLimit(at.key(), err)
	l.noteDenied(err)
	if v.lostAt.Sub(s.began) > stableAfter {
		v.pause.reset()
	}
	return err
}

// noteEnd decides when the target is tried again: after a session that has served, or after an
// attempt to make one.
func (v *supervisor) noteEnd(r *round, at target, err error, served bool) {
	l := v.link
	l.resetAfterSkip(&v.pause)
	silent := r.noteUnresponsive(at, err)
	err = explain(err, at.url, l.cfg)
	if served {
		err = l.wrapFlapping(err)
		r.broke(at, err)
	}
	switch {
	case isKind(err, NameInUse) && time.Since(v.lostAt) < noticedAfter:
		v.pause.soon() // the broker may not have noticed yet that it is gone
	case misconfigured(err):
		r.coolDown(at, err)
	}
	if !served {
		r.fail(at, err)
		r.advance(!silent && !misconfigured(err))
	}
}

// sweep ends publishes whose deadline has passed. It runs often: a sender that waits 0.9 seconds
// must be told within one, even on a busy machine. It runs less often while nothing is pending,
// because it took half of an idle program's processor time.
func (l *Link) sweep(ctx context.Context) {
	period := l.cfg.PublishTimeout / 30
	tick := time.NewTimer(period)
	defer tick.Stop()
	l.pauses.tick(time.Now(), period)
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			l.outbox.expire(now)
			next := period
			if l.outbox.empty() {
				next = 4 * period
			}
			l.pauses.tick(time.Now(), next)
			tick.Reset(next)
		}
	}
}

// The pause between two rounds of attempts doubles from the first to the last. Half of each is
// random, so that a hundred links do not return to a broker in step.
//
// Even the last one is short: an attempt to connect is as cheap as any other check whether
// something listens.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 2 * time.Second
)

type backoff struct {
	pause  time.Duration
	jitter func(time.Duration) time.Duration // as in [Config]; nil is random
}

// next returns how long to wait before the next attempt: between half and the whole of 0.2 s,
// 0.4 s, 0.8 s, 1.6 s, 2 s.
func (b *backoff) next() time.Duration {
	switch {
	case b.pause == 0:
		b.pause = firstPause
	case b.pause < lastPause:
		b.pause = min(2*b.pause, lastPause)
	}
	if b.jitter == nil {
		b.jitter = randomBelow
	}
	return b.pause/2 + b.jitter(b.pause/2)
}

func randomBelow(d time.Duration) time.Duration { return rand.N(d) }

// soon makes the next pauses short ones.
func (b *backoff) soon() { b.pause = min(b.pause, 4*firstPause) }

// reset makes the next pause the first one.
func (b *backoff) reset() { b.pause = 0 }

// maxFlaps is how many connections in a row may break within stableAfter. After that the link
// counts as down until a connection has lasted that long. It carries messages meanwhile, but a
// state that is up for milliseconds at a time would mean nothing.
const maxFlaps = 3

// flappingError is the state's error of a link that breaks as soon as it is made.
type flappingError struct{ err error }

func (e *flappingError) Error() string {
	return "the link breaks as soon as it is made: " + e.err.Error()
}
func (e *flappingError) Unwrap() error { return e.err }

// announce announces that the link is up: at once, or once it has lasted if the previous ones
// broke early.
func (s *session) announce(done <-chan struct{}) {
	if s.link.flaps < maxFlaps {
		s.link.announceUp(s.url)
		return
	}
	s.tasks.Go(func() {
		settled := time.NewTimer(stableAfter)
		defer settled.Stop()
		select {
		case <-done:
		case <-settled.C:
			s.link.announceUp(s.url)
		}
	})
}

// noteUptime notes how long a connection lasted.
func (l *Link) noteUptime(d time.Duration) {
	if d > stableAfter {
		l.flaps = 0
	} else {
		l.flaps++
	}
}

// wrapFlapping wraps the reason of a break if the previous connections broke early, too.
func (l *Link) wrapFlapping(err error) error {
	if l.flaps < maxFlaps {
		return err
	}
	return &flappingError{err}
}
