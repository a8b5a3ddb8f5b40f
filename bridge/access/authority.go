package access

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Authority identifies clients as its configuration says. Its configuration may be replaced.
type Authority struct {
	options  Options
	accounts accounts
	failures *failures
	state    atomic.Pointer[state]

	reloading sync.Mutex    // held while the state is replaced
	replaced  chan struct{} // gets a value when the state was replaced
}

// Options are what an Authority needs of its surroundings.
type Options struct {
	// Secret returns the contents of a file that the configuration names; nil is [os.ReadFile].
	Secret func(path string) ([]byte, error)
	// Logger gets what an operator should know.
	Logger *slog.Logger
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
}

// New returns an authority. Its errors are *PathError, joined.
func New(cfg Config, o Options) (*Authority, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Secret == nil {
		o.Secret = os.ReadFile
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Authority{options: o, accounts: newSystemAccounts(), failures: newFailures(o.Now), replaced: make(chan struct{}, 1)}
	s, err := newState(cfg, nil, o)
	if err != nil {
		return nil, err
	}
	a.state.Store(s)
	return a, nil
}

// Run keeps keys and secrets fresh until the context ends.
func (a *Authority) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		a.runState(ctx)
	}
	return nil
}

// runState runs the tasks of the present state until that is replaced or the context ends.
func (a *Authority) runState(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	s := a.state.Load()
	if s.jwt != nil {
		tasks.Go(func() { s.jwt.run(ctx) })
	}
	if s.callback != nil {
		tasks.Go(func() { s.callback.run(ctx) })
	}
	if s.signed != nil {
		tasks.Go(func() { s.signed.run(ctx) })
	}
	for a.state.Load() == s {
		select {
		case <-ctx.Done():
			return
		case <-a.replaced:
		}
	}
}

// Reload replaces the configuration. An unusable one changes nothing.
func (a *Authority) Reload(cfg Config) error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	s, err := newState(cfg, a.state.Load(), a.options)
	if err != nil {
		return err
	}
	a.state.Store(s)
	select {
	case a.replaced <- struct{}{}:
	default: // Run has not seen the last one yet
	}
	return nil
}

// Identify says who a client is. It never blocks.
func (a *Authority) Identify(ap *Approach) Verdict {
	s := a.state.Load()
	return a.failures.judge(ap.Remote.Addr(), a.admit(s, a.identify(s, ap)))
}

// admit checks a verdict against what holds for every principal, now or when it is decided later.
// The configuration may have been replaced meanwhile.
func (a *Authority) admit(s *state, v Verdict) Verdict {
	if later := v.Later; later != nil {
		return Verdict{Later: func(ctx context.Context) Verdict {
			v := later(ctx)
			if v.Principal == nil {
				return v
			}
			if a.state.Load() == s {
				return a.admit(s, v)
			}
			p, refusal := a.Current(v.Principal)
			return Verdict{Principal: p, Refusal: refusal}
		}}
	}
	if v.Principal == nil {
		return v
	}
	if refusal := s.ended(v.Principal, a.options.Now()); refusal != nil {
		return Verdict{Refusal: refusal}
	}
	return v
}

// Current returns the principal that a principal of an earlier configuration is now, or why it
// may be no longer: its role has changed or gone, its credential was removed, revoked or has
// expired. If nothing has changed, it is the same pointer. It never blocks.
func (a *Authority) Current(p *Principal) (*Principal, *Refusal) {
	s := a.state.Load()
	now, refusal := s.current(p)
	if refusal == nil {
		refusal = s.ended(now, a.options.Now())
	}
	if refusal != nil {
		return nil, refusal
	}
	return now, nil
}

// asked returns the callback of the present configuration; nil if there is none.
func (a *Authority) asked() *callback { return a.state.Load().callback }
