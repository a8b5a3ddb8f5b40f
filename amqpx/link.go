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
	stalls  stallWatch // when the process stood still
	dialTCP func(ctx context.Context, network, addr string) (net.Conn, error)

	// The following fields belong to the goroutine of Run.

	consumerStates []*consumerState // one for each of cfg.Queues, from session to session
	current        currentTarget    // where the link is, or is connecting to
	sizeLimits     map[string]int64 // the limit that each target has shown
	flaps          int              // how many connections in a row broke early
	skippedPoison  bool             // the last session got past a poison message

	// Of what the broker refuses, the log has one line in the life of a link.
	loggedNoSentinel    bool
	loggedNoDeadLetters bool
	loggedNoGate        bool

	// What the broker refuses to take. Run stores it, Publish loads it.

	sizeLimit  atomic.Int64                       // the longest body in bytes; 0 if unknown
	denied     atomic.Pointer[denial]             // nothing may be published; nil if it may
	deniedKeys atomic.Pointer[map[string]*denial] // nothing may be published with these keys; never changed in place

	// announcing is held over a change of state and its OnState, which keeps the calls in
	// the order of the changes. It is locked before mu.
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

// Run keeps the link up until the context ends, then lets what was sent be
// confirmed (for at most the publish timeout) and closes. A link runs once.
// The error is nil, or why the first connection failed if FailFast is set.
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

// stableAfter is how long a connection must have held before the next pause is
// a short one again: a link that breaks as soon as it stands must not storm.
const stableAfter = 5 * time.Second

// noticedAfter is how long a broker may hold on to a connection that is no more, with a
// heartbeat of up to a minute; RabbitMQ takes twice that.
const noticedAfter = 2 * time.Minute

// supervise connects, serves, and connects again until the context ends.
func (l *Link) supervise(ctx context.Context) error {
	pause := backoff{jitter: l.cfg.Jitter}
	var linked bool
	held := time.Now() // when the last connection, of ours or of a process before us, ended
	memory := newTargetMemory()
	var served *target
	for ctx.Err() == nil {
		r := l.newRound(ctx, memory, &pause, served)
		r.once = l.cfg.FailFast && !linked
		served = nil
		for served == nil && r.next(ctx) {
			at := l.current.target
			started := time.Now()
			s, err := r.connect(ctx)
			if err == nil {
				r.end()
				r.linked(at)
				linked, served = true, &at
				l.sizeLimit.Store(l.sizeLimits[at.key()])
				up := time.Now()
				err = s.serve(ctx)
				held = time.Now()
				l.noteUptime(held.Sub(up))
				l.noteSizeLimit(at.key(), err)
				l.noteDenied(err)
				if time.Since(started) > stableAfter {
					pause.reset()
				}
			}
			if ctx.Err() != nil {
				break
			}
			l.resetAfterSkip(&pause)
			silent := r.noteUnresponsive(at, err)
			err = explain(err, at.url, l.cfg)
			if served != nil {
				err = l.wrapFlapping(err)
				r.broke(at, err)
			}
			switch {
			case isKind(err, NameInUse) && time.Since(held) < noticedAfter:
				pause.soon()
			case misconfigured(err):
				r.coolDown(at, err)
			}
			if served == nil {
				r.fail(at, err)
				r.advance(!silent && !misconfigured(err))
			}
		}
		r.end()
		switch {
		case ctx.Err() != nil:
			return nil
		case served != nil:
			wait(ctx, r.pause())
		case r.once:
			return r.lastError()
		}
	}
	return nil
}

// sweep ends publishes whose deadline has passed. It looks often: what is told after 0.9
// seconds must be told within one, on a busy machine too. While there are none it looks
// less often: that took half of an idle program's time on the processor.
func (l *Link) sweep(ctx context.Context) {
	period := l.cfg.PublishTimeout / 30
	tick := time.NewTimer(period)
	defer tick.Stop()
	l.stalls.tick(time.Now(), period)
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
			l.stalls.tick(time.Now(), next)
			tick.Reset(next)
		}
	}
}

// The pause between two rounds of attempts: it doubles from the first to the
// last, and each is spread over half its length so that a hundred bridges do
// not return to a broker in step.
//
// The last one is short: an attempt at an address where nothing listens costs no more
// than a question whether something does, and is itself the answer.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 2 * time.Second
)

type backoff struct {
	pause  time.Duration
	jitter func(time.Duration) time.Duration // as in [Config]; nil is random
}

// next is how long to wait before the next attempt: between half and the whole
// of 0.2 s, 0.4 s, 0.8 s, 1.6 s, 2 s.
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

// maxFlaps is how many connections in a row may break within settledAfter of
// standing before the link counts as down until one has held for that long. It carries
// messages meanwhile, but a state that is up for milliseconds at a time, again and
// again, would say nothing.
const maxFlaps = 3

// flappingError is why a link is down that breaks as soon as it stands.
type flappingError struct{ err error }

func (e *flappingError) Error() string {
	return "the link breaks as soon as it stands: " + e.err.Error()
}
func (e *flappingError) Unwrap() error { return e.err }

// announce says that the link is up: at once, or if the last ones broke early, once it has
// held.
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

// noteUptime takes how long a connection stood.
func (l *Link) noteUptime(d time.Duration) {
	if d > stableAfter {
		l.flaps = 0
	} else {
		l.flaps++
	}
}

// wrapFlapping wraps the reason of the last break if the ones before came early, too.
func (l *Link) wrapFlapping(err error) error {
	if l.flaps < maxFlaps {
		return err
	}
	return &flappingError{err}
}
