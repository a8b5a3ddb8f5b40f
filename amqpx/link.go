package amqpx

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Config says what a [Link] connects to and what it consumes.
type Config struct {
	// URLs are the broker's addresses (amqp:// or amqps://), tried in turn, with every
	// address that each host has.
	URLs []string
	// TLS is used for amqps URLs; nil verifies against the system's roots.
	TLS *tls.Config
	// Name shows in the broker's list of connections.
	Name string
	// Exchange is declared as CLU declares it (topic, not durable, auto-delete),
	// unless Like says otherwise.
	Exchange        string
	ExchangeOptions ExchangeOptions
	// Queues are declared, bound to Exchange and consumed.
	Queues []Queue
	// Prefetch is how many deliveries may be unacknowledged, for each queue. 0 is
	// 200, twice the knee: a backlog at RabbitMQ 3.10 was read at 12,000/s with 10,
	// 17,000/s with 50, 19,000/s with 100, and no faster with 200, 400 or 1,000
	// (BenchmarkPrefetch, medians of eight on two busy cores).
	Prefetch int
	// Window is how many publishes may be unconfirmed. 0 is 256.
	MaxInFlight int
	// Waiting is how many publishes may wait for a place in the window; one counts once
	// more for each 16 KiB of its body. When they are so many, the party that has most
	// gives way to one that has less than an equal part, and within a party the sender.
	// 0 is 1024.
	MaxPending int
	// PublishTimeout ends a publish that has no outcome by then, or up to a thirtieth
	// later. 0 is 0.9 seconds.
	PublishTimeout time.Duration
	// CheckQueues looks for the queues that a message needs before it is sent.
	CheckQueues bool
	// Heartbeat is the AMQP heartbeat interval. 0 is ten seconds.
	Heartbeat time.Duration
	// ProbeAfter is how long a queue may deliver nothing before the link checks, by a message
	// of its own, that one would arrive; for a stream it is three times as long. Less than
	// zero never checks. 0 is ten seconds.
	ProbeAfter time.Duration
	// Dial replaces the network, for an embedded broker.
	Dial func(network, addr string) (net.Conn, error)
	// Lookup finds the addresses of a host, each of which is tried. nil asks the system,
	// and with Dial nobody.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// OnState is told of every change of state, in order and one at a time. It
	// must not block.
	OnState func(State)
	// FailFast ends Run when the first connection cannot be made.
	FailFast bool
	// Logger gets one line a change of state. nil is [slog.Default].
	Logger *slog.Logger
}

// State is whether the link can carry messages now.
type State struct {
	// Up is true while both connections stand and every queue is bound.
	Up bool
	// Broker is the address it is linked to, without credentials.
	Broker string
	// Blocked is the broker's reason for not reading publishes, or "".
	Blocked string
	// QueueDown is why the broker takes no messages into a queue, or "". Publishing may
	// work nevertheless.
	QueueDown string
	// Err is why the link is down; nil before the first attempt, [ErrClosed]
	// after Run.
	Err error
}

// Link is a supervised connection to a broker. Its methods may be called from
// any goroutine.
type Link struct {
	cfg    Config
	log    *slog.Logger
	outbox *outbox
	// intakes are what is remembered of each of cfg.Queues from session to session.
	consumerStates []*consumerState
	// stalls are when the process stood still.
	stalls stallWatch
	// toldUntied: a tie was refused before. It belongs to Run.
	loggedNoSentinel bool
	// toldUndropped: dead letters were refused before. It belongs to Run.
	loggedNoDeadLetters bool
	// toldUngated: a gate was refused before. It belongs to Run.
	loggedNoGate bool
	// unsettled is how many connections in a row broke early (settled.go). It belongs to Run.
	flaps int
	// stepped is that the last session got past a message (unreadable.go). It belongs to Run.
	skippedPoison bool
	// limit is how long the body of a message may be, in bytes; 0 while nobody knows.
	sizeLimit atomic.Int64
	// limits are what was learned at each target. They belong to Run.
	sizeLimits map[string]int64
	// place is where the link is, or tries to be. It belongs to Run.
	current currentTarget
	dialTCP func(ctx context.Context, network, addr string) (net.Conn, error)
	// forbidden is why nothing may be sent; nil if it may.
	denied atomic.Pointer[denial]
	// forbiddenKeys is why nothing may be sent with a routing key. Run alone replaces
	// the map, which never changes.
	deniedKeys atomic.Pointer[map[string]*denial]

	// announcing keeps OnState's calls in the order of the changes.
	announcing sync.Mutex
	// mu guards the following fields.
	mu             sync.Mutex
	state          State
	noProbesUntil  time.Time // the broker has refused a probe
	loggedNoProbes bool      // which was logged
}

// New checks the configuration. Nothing is dialled before [Link.Run].
func New(cfg Config) (*Link, error) {
	if len(cfg.URLs) == 0 {
		return nil, errors.New("amqpx: no broker URL given")
	}
	for _, u := range cfg.URLs {
		if err := CheckURL(u); err != nil {
			return nil, err
		}
	}
	if err := checkShort("exchange name", cfg.Exchange); err != nil {
		return nil, err
	}
	for _, q := range cfg.Queues {
		if err := q.check(); err != nil {
			return nil, err
		}
	}
	cfg.Prefetch = orDefault(cfg.Prefetch, 200)
	// BenchmarkWindow: with RabbitMQ on the same two cores, windows of 1, 16, 64, 256
	// and 1024 carry 8, 18, 32, 39 and 27 thousand publishes a second at best.
	cfg.MaxInFlight = orDefault(cfg.MaxInFlight, 256)
	cfg.MaxPending = orDefault(cfg.MaxPending, 1024)
	cfg.PublishTimeout = orDefault(cfg.PublishTimeout, 900*time.Millisecond)
	cfg.Heartbeat = orDefault(cfg.Heartbeat, 10*time.Second)
	if cfg.ProbeAfter = orDefault(cfg.ProbeAfter, 10*time.Second); cfg.ProbeAfter > 0 {
		cfg.ProbeAfter = max(cfg.ProbeAfter, probeTicks*time.Millisecond)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Lookup == nil && cfg.Dial == nil {
		cfg.Lookup = lookupHost
	}
	l := &Link{
		cfg:        cfg,
		log:        cfg.Logger,
		outbox:     newOutbox(cfg.MaxPending, cfg.MaxInFlight, cfg.PublishTimeout),
		sizeLimits: map[string]int64{},

		dialTCP: dialTCP,
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

func orDefault[T int | time.Duration](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}

// Publish sends a message on the link's exchange. It does not block. done is
// called exactly once, from any goroutine and possibly before Publish returns;
// it must not block. Messages of one sender leave in the order of the calls; the
// parties take turns, and the senders of each. The error is
// for a message that AMQP, or the broker, cannot carry, or that it forbids; then nothing is sent and done is not
// called.
func (l *Link) Publish(msg Message, done func(Outcome)) error {
	if err := msg.check(); err != nil {
		return err
	}
	if err := l.checkLength(&msg); err != nil {
		return err
	}
	if err := l.checkWrite(); err != nil {
		return err
	}
	if err := l.checkKey(msg.Key); err != nil {
		return err
	}
	l.outbox.put(msg, done)
	return nil
}

// State is the link's state now.
func (l *Link) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// ConfirmOverdue reports whether the broker owes the confirm of a publish that has ended
// as unknown. It is up then, and stalls; its heartbeat has not found out yet.
func (l *Link) ConfirmOverdue() bool { return l.outbox.overdue() }

// change applies a change of state and announces it.
func (l *Link) change(apply func(*State)) {
	l.announcing.Lock()
	defer l.announcing.Unlock()
	l.mu.Lock()
	apply(&l.state)
	s := l.state
	l.mu.Unlock()
	if l.cfg.OnState != nil {
		l.cfg.OnState(s)
	}
}

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

// ErrClosed is State.Err of a link whose Run has ended.
var ErrClosed = errors.New("the link was closed")

// stableAfter is how long a connection must have held before the next pause is
// a short one again: a link that breaks as soon as it stands must not storm.
const stableAfter = 5 * time.Second

// noticedAfter is how long a broker may hold on to a connection that is no more, with a
// heartbeat of up to a minute; RabbitMQ takes twice that.
const noticedAfter = 2 * time.Minute

// supervise connects, serves, and connects again until the context ends.
func (l *Link) supervise(ctx context.Context) error {
	var pause backoff
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

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
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

func (l *Link) up(url string) {
	broker := Redact(url)
	where := []any{"broker", broker}
	if l.current.addresses > 1 {
		where = append(where, "address", l.current.host())
	}
	l.log.Info("linked to the broker", append(where, "exchange", l.cfg.Exchange, "name", l.cfg.Name)...)
	// What the broker has said since, of blocking say, stays.
	l.change(func(s *State) { s.Up, s.Broker, s.Err = true, broker, nil })
}

// blocked follows the broker's word on whether it reads publishes.
func (l *Link) blocked(b amqp.Blocking) {
	if b.Active {
		l.log.Warn("the broker blocks publishers; commands are refused", "reason", b.Reason)
		l.outbox.refuse(Blocked)
	} else {
		l.log.Info("the broker reads publishers again")
		l.outbox.accept()
	}
	l.change(func(s *State) { s.Blocked = b.Reason })
}
