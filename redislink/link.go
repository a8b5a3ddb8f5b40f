package redislink

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Config is a configuration of a link.
type Config struct {
	// URL is redis://user:password@host:6379/0, rediss:// with TLS, or unix:///path. With ?master_name=
	// it names a Sentinel, and with ?addr= the further addresses of a cluster.
	URL string
	// TLS is used for rediss://; nil trusts the system's authorities.
	TLS *tls.Config
	// Channels are names and patterns.
	Channels []string
	// Deliver takes a message, which it may keep. Nothing is read before it returns.
	Deliver func(channel string, body []byte)
	// MaxBody bounds the length of a message; 0 is 16 MiB. Of a longer one no more is kept than that,
	// and OnTooLong, which may be nil, is called in place of Deliver.
	MaxBody   int
	OnTooLong func(channel string, size int)
	// OnGap says that messages may have been lost that were published between two times. It is called
	// once the link stands again, between two calls of Deliver, and when it first stands if that took
	// more than one attempt.
	OnGap func(from, to time.Time)
	// PingEvery is how often Redis is asked whether it is there; 0 is five seconds. A connection on
	// which nothing comes for twice that time after a question is closed.
	PingEvery time.Duration
	// Logger gets what an operator should know; nil is none.
	Logger *slog.Logger

	// silence is how long after a question nothing may come; 0 is twice PingEvery, and a bit less, as
	// no ticker is exact.
	silence time.Duration
}

// State is whether a link stands.
type State struct {
	Up bool
	// Err is why it does not; nil if it was not tried yet.
	Err error
}

// Link is a subscription that is made anew whenever its connection ends.
type Link struct {
	cfg    Config
	to     target
	wanted subscriptions

	// verified is a time before which no message was published that is missing since the last gap.
	// It is zero before the link stood or failed first. It is used by Run only.
	verified time.Time
	attempts int      // that have ended; of Run only
	told     []string // the errors of this outage that were logged; of Run only

	// mu guards the following field.
	mu    sync.Mutex
	state State
}

// New returns a link, which [Link.Run] connects.
func New(cfg Config) (*Link, error) {
	to, err := parse(cfg.URL)
	switch {
	case err != nil:
		return nil, err
	case len(cfg.Channels) == 0:
		return nil, errors.New("a link to Redis needs a channel")
	}
	if cfg.TLS != nil && to.tls != nil {
		to.tls = cfg.TLS.Clone()
	}
	if cfg.PingEvery == 0 {
		cfg.PingEvery = 5 * time.Second
	}
	if cfg.silence == 0 {
		cfg.silence = 2*cfg.PingEvery - cfg.PingEvery/10
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = 16 << 20
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Link{cfg: cfg, to: to, wanted: newSubscriptions(cfg.Channels)}, nil
}

// State returns whether the link stands.
func (l *Link) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Bounds of the time between two attempts, which are cheap, while each second of an outage loses
// messages. A connection that ended sooner than stableAfter counts as an attempt that failed.
const (
	firstRetry  = 200 * time.Millisecond
	lastRetry   = 2 * time.Second
	stableAfter = 10 * time.Second
)

// Run keeps the link until the context ends.
func (l *Link) Run(ctx context.Context) {
	retry, first := firstRetry, time.Now()
	for {
		began := time.Now()
		err := l.session(ctx)
		if ctx.Err() != nil {
			l.change(State{Err: context.Cause(ctx)})
			return
		}
		if l.State().Up && time.Since(began) > stableAfter {
			retry = firstRetry
		}
		l.attempts++
		if l.verified.IsZero() {
			l.verified = first
		}
		l.down(err)
		select {
		case <-time.After(retry/2 + rand.N(retry/2+1)):
		case <-ctx.Done():
		}
		retry = min(2*retry, lastRetry)
	}
}

// maxTold is how many different errors of an outage are logged.
const maxTold = 8

// down notes that the link does not stand. Of an outage, each error is logged once.
func (l *Link) down(err error) {
	if l.change(State{Err: err}).Up {
		l.told = nil
	}
	if text := err.Error(); len(l.told) < maxTold && !slices.Contains(l.told, text) {
		l.told = append(l.told, text)
		l.cfg.Logger.Warn("not linked to Redis; trying again", "redis", Redact(l.cfg.URL), "error", err)
	}
}

// up notes that the link stands.
func (l *Link) up() {
	l.change(State{Up: true})
	l.cfg.Logger.Info("linked to Redis", "redis", Redact(l.cfg.URL), "channels", l.wanted.len())
}

// change sets the state, and returns the one before.
func (l *Link) change(s State) (before State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, l.state = l.state, s
	return before
}
