package socketshark

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/limitedlog"
)

// Bounds of all clients together.
const (
	maxWaiting = 64 << 20  // bytes of events and messages that wait
	maxMarks   = 1_000_000 // orders and throttled keys that are remembered
)

// maxFarewell is how long the last callbacks may take when the bridge stops.
const maxFarewell = 15 * time.Second

// Dialect serves the clients of a path as SocketShark does. It implements [dialect.Dialect].
type Dialect struct {
	cfg      Config
	services map[string]*service
	place    dialect.Place
	host     dialect.Host
	client   *http.Client
	slots    map[string]chan struct{} // by the URL of callbacks; each is that of its backend, with one for each callback that may run at a time
	drops    *limitedlog.Log
	failures *limitedlog.Log

	// ctx ends when no callback may run any more.
	ctx     context.Context
	cancel  context.CancelFunc
	working working
	waiting atomic.Int64 // bytes of events and messages that wait
	marks   atomic.Int64 // orders and throttled keys that are remembered

	// mu guards the following field, and the users of its topics.
	mu     sync.RWMutex
	topics map[string]*topic // by the path of their rooms
}

// service is a service, and what follows from its configuration.
type service struct {
	Service
	authRequired bool
	// asksOn* are whether an event asks a backend.
	asksOnSubscribe, asksOnUnsubscribe bool
}

// New returns the dialect that a configuration describes. Its errors are [*dialect.PathError], joined.
func New(cfg *Config, at dialect.Place, h dialect.Host) (dialect.Dialect, error) {
	complete, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	client, err := newClient(complete.HTTP)
	if err != nil {
		return nil, &dialect.PathError{Path: "http.ca-file", Err: err}
	}
	d := &Dialect{
		cfg: complete, services: map[string]*service{}, place: at, host: h, client: client,
		slots:    map[string]chan struct{}{},
		drops:    limitedlog.New(h.Logger, "a message for SocketShark's clients was dropped"),
		failures: limitedlog.New(h.Logger, "a backend of SocketShark's clients cannot be asked"),
		topics:   map[string]*topic{},
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	backends := map[string]chan struct{}{}
	for _, text := range complete.callbacks() {
		u, _ := url.Parse(text) // it is checked already
		if backends[u.Host] == nil {
			backends[u.Host] = make(chan struct{}, complete.HTTP.MaxConcurrent)
		}
		d.slots[text] = backends[u.Host]
	}
	for name, s := range complete.Services {
		d.services[name] = &service{
			Service: s, authRequired: s.RequireAuthentication == nil || *s.RequireAuthentication,
			asksOnSubscribe:   s.Authorizer != "" || s.BeforeSubscribe != "" || s.OnSubscribe != "",
			asksOnUnsubscribe: s.BeforeUnsubscribe != "" || s.OnUnsubscribe != "",
		}
	}
	return d, nil
}

// Accept accepts every client. It implements [dialect.Dialect], as the following methods do.
func (d *Dialect) Accept(*dialect.Request) (dialect.Accepted, error) {
	return dialect.Accepted{Session: &session{d: d}}, nil
}

// Routes returns none.
func (d *Dialect) Routes() map[string]http.Handler { return nil }

// Run runs until the context ends, and the backends know that the last clients have left. They are
// waited for as long as one answer may take, but not longer than maxFarewell.
func (d *Dialect) Run(ctx context.Context) {
	<-ctx.Done()
	ended := make(chan struct{})
	stop := d.host.After(min(d.cfg.HTTP.Timeout, maxFarewell), func() { close(ended) })
	defer stop()
	select {
	case <-d.working.idle():
	case <-ended:
	}
	d.cancel()
	<-d.working.idle()
	d.client.CloseIdleConnections()
	d.drops.End()
	d.failures.End()
}

// Deliver delivers a message to its subscribers.
func (d *Dialect) Deliver(m *rooms.Message) {
	d.mu.RLock()
	t := d.topics[m.Path]
	d.mu.RUnlock()
	if t != nil && m.Format == rooms.FormatSocketShark {
		t.deliver(m)
	}
}

// Gap tells the subscriptions whose messages have places that some may be missing. If it should, it
// closes the clients of all such subscriptions, so that they subscribe again.
func (d *Dialect) Gap(s *rooms.Source, from, to time.Time) {
	d.mu.RLock()
	var concerned []*topic
	for path, t := range d.topics {
		if s.Covers(path) {
			concerned = append(concerned, t)
		}
	}
	d.mu.RUnlock()
	for _, t := range concerned {
		t.tellGap(from, to)
	}
	if d.cfg.OnGap == gapKeep {
		return
	}
	sessions := map[*session]struct{}{}
	for _, t := range concerned {
		t.collect(sessions)
	}
	// Not all at once: each asks the backends again.
	spread := min(time.Duration(len(sessions))*time.Millisecond, 10*time.Second)
	for s := range sessions {
		d.host.After(rand.N(spread+1), s.closeForGap)
	}
}

// enter returns the topic of a subscription's name, for a subscriber that leaves it.
func (d *Dialect) enter(name string, s *service) *topic {
	path := d.place.Rooms + "/" + rooms.EscapeName(name)
	if d.place.Rooms == "/" {
		path = path[1:]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.topics[path]
	if t == nil {
		t = &topic{d: d, name: name, path: path, service: s, groups: map[string]*group{}, provisional: map[*subscription]struct{}{}}
		d.topics[path] = t
	}
	t.users++
	return t
}

// exit ends what enter began.
func (d *Dialect) exit(t *topic) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t.users--; t.users == 0 {
		delete(d.topics, t.path)
	}
}

// working counts the goroutines that ask backends.
type working struct {
	mu      sync.Mutex // guards the following fields
	n       int
	waiters []chan struct{}
}

// run runs a function on a goroutine.
func (w *working) run(f func()) {
	w.mu.Lock()
	w.n++
	w.mu.Unlock()
	go func() {
		defer w.done()
		f()
	}()
}

func (w *working) done() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n--; w.n == 0 {
		for _, c := range w.waiters {
			close(c)
		}
		w.waiters = nil
	}
}

// idle returns a channel that is closed as soon as no goroutine runs.
func (w *working) idle() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(chan struct{})
	if w.n == 0 {
		close(c)
		return c
	}
	w.waiters = append(w.waiters, c)
	return c
}
