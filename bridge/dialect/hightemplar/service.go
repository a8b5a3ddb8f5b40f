package hightemplar

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/limitedlog"
	"github.com/clu-ws/clu-ws/internal/workers"
)

// lastCallbacks is how long the bridge waits at its end for callbacks about clients that have left.
const lastCallbacks = 5 * time.Second

// service is the dialect. It implements [dialect.Dialect].
type service struct {
	cfg      Config
	place    dialect.Place
	host     dialect.Host
	backend  *backend
	hub      *hub
	counts   counts
	online   time.Time
	failures *limitedlog.Log

	asking    chan struct{} // has an element for each client that the backend is asked about
	callbacks workers.Pool
	told      sync.WaitGroup // callbacks that wait or run
}

// Accept implements [dialect.Dialect]. The connection is parked until the backend has answered.
func (d *service) Accept(r *dialect.Request) (dialect.Accepted, error) {
	if r.Path != d.place.Path {
		return dialect.Accepted{}, &engine.RejectError{Status: http.StatusNotFound, Kind: http.StatusText(http.StatusBadRequest),
			Reason: "there is nothing here; connect to " + d.place.Path}
	}
	fields, no := d.forward(r)
	if no != nil {
		return dialect.Accepted{}, no
	}
	id := r.ID
	return dialect.Accepted{Later: func(ctx context.Context) dialect.Decision { return d.decide(ctx, fields, id) }}, nil
}

// decide decides on a client. It notes that the backend did not answer unless the client has gone.
func (d *service) decide(ctx context.Context, fields http.Header, id string) dialect.Decision {
	c, err := d.ask(ctx, fields)
	if err == nil {
		c.id = id
		return func() (dialect.Accepted, error) { return dialect.Accepted{Session: c}, nil }
	}
	if ctx.Err() == nil {
		d.failures.Note("bootstrap", "error", err)
	}
	return func() (dialect.Accepted, error) {
		return dialect.Accepted{}, &engine.RejectError{Status: http.StatusInternalServerError,
			Reason: "the application that decides who may connect does not say; try again later, or tell its operator"}
	}
}

// ask asks the backend about a client.
func (d *service) ask(ctx context.Context, fields http.Header) (*client, error) {
	ended := d.host.Metrics.Asked()
	select {
	case d.asking <- struct{}{}:
		defer func() { <-d.asking }()
	case <-ctx.Done():
		ended(dialect.Abandoned)
		return nil, ctx.Err()
	}
	said, err := d.backend.bootstrap(ctx, fields)
	switch {
	case err == nil:
		ended(dialect.OutcomeOf(said.status))
	case ctx.Err() != nil:
		ended(dialect.Abandoned)
	default:
		ended(dialect.Failed)
	}
	if err != nil {
		return nil, err
	}
	c := &client{service: d, greeting: refusal}
	if d.cfg.NotifyOnline != "" || d.cfg.NotifyOffline != "" {
		c.presence.fields = fields
	}
	if said.refused {
		return c, nil
	}
	allowed, distinct, err := newGrants(said.rooms)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(`{"is_authorized": true, "allowed_rooms": [`)
	for i, room := range distinct {
		if i > 0 {
			b.WriteString(", ")
		}
		b.Write(room)
	}
	b.WriteString("]}")
	c.greeting, c.allowed = engine.Text(b.String()), allowed
	return c, nil
}

// Deliver implements [dialect.Dialect]. What another format has is not JSON.
func (d *service) Deliver(m *rooms.Message) {
	if m.Format == rooms.FormatHighTemplar {
		d.hub.deliver(m)
	}
}

// Gap implements [dialect.Dialect]. The protocol has no word for it.
func (d *service) Gap(*rooms.Source, time.Time, time.Time) {}

// Routes implements [dialect.Dialect].
func (d *service) Routes() map[string]http.Handler {
	pattern := "GET " + d.place.Path
	if pattern[len(pattern)-1] == '/' {
		pattern += "{$}"
	}
	return map[string]http.Handler{pattern: noUpgrade{}}
}

// noUpgrade answers requests that are no upgrades.
type noUpgrade struct{}

// ServeHTTP implements [http.Handler].
func (noUpgrade) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "this is for WebSockets: connect with ws:// or wss://", http.StatusBadRequest)
}

// Run implements [dialect.Dialect]. It ends when the backend has been told that the clients have left,
// or after a while.
func (d *service) Run(ctx context.Context) {
	<-ctx.Done()
	all, late := make(chan struct{}), make(chan struct{})
	go func() {
		d.told.Wait()
		close(all)
	}()
	stop := d.host.After(lastCallbacks, func() { close(late) })
	defer stop()
	select {
	case <-all:
		d.failures.End()
	case <-late:
		d.failures.Note("the bridge ends")
	}
	d.backend.client.CloseIdleConnections()
}
