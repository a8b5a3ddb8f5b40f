package bridge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// Paths may be served in the protocols of other systems. Such a path has its own rules about who
// its clients are, so access control does not identify them; which pages may connect, and the
// limits of the engine, are as everywhere.

// mountedDialect is a dialect, and where it is.
type mountedDialect struct {
	dialect.Mount
	dialect.Dialect
	metrics *dialect.Metrics
	clients atomic.Int64
}

// dialectClient is the session of a client, which is counted.
type dialectClient struct {
	dialect.Session
	of   *mountedDialect
	conn engine.Conn
}

// Open implements [dialect.Session].
func (c *dialectClient) Open(conn engine.Conn) {
	c.of.clients.Add(1)
	c.conn = conn
	c.Session.Open(conn)
}

// Closed implements [dialect.Session].
func (c *dialectClient) Closed(code int, reason string) {
	c.of.clients.Add(-1)
	c.Session.Closed(code, reason)
}

// skipped returns the message for a client that reads so slowly that messages of its log are left out.
// One whose protocol has no word for that is closed, as without SkipSlow.
func (c *dialectClient) skipped(missed uint64) engine.Frame {
	if r, ok := c.Session.(dialect.Resumer); ok && r.Resumes() {
		return protocol.Encode(protocol.Dropped{Op: "dropped", Count: missed})
	}
	c.conn.Close(tooSlow, "this client reads too slowly")
	return nil
}

// tooSlow is the code with which the engine closes a client that reads too slowly.
const tooSlow = 1008

// newDialects makes the dialects of the configuration. Those that cannot be made are all told.
func (b *Bridge) newDialects() (err error) {
	if len(b.cfg.Dialects) == 0 {
		return nil
	}
	metrics := dialect.NewMetrics(b.metrics.registry)
	var wrong []error
	for _, m := range b.cfg.Dialects {
		if slices.ContainsFunc(b.dialects, func(d *mountedDialect) bool { return d.Path == m.Path }) {
			wrong = append(wrong, dialectError(m, fmt.Errorf("two dialects have the path %s; give each its own", m.Path)))
			continue
		}
		mounted := &mountedDialect{Mount: m, metrics: metrics.For(m.Name)}
		if mounted.Dialect, err = m.New(b.dialectHost(mounted.metrics)); err != nil {
			wrong = append(wrong, err)
			continue
		}
		b.dialects = append(b.dialects, mounted)
	}
	return errors.Join(wrong...)
}

// dialectError returns what is wrong with the place of a dialect.
func dialectError(m dialect.Mount, err error) error {
	return &dialect.PathError{Path: strings.TrimPrefix(m.Key+".path", "."), Err: err}
}

// dialectHost returns the bridge as a dialect sees it.
func (b *Bridge) dialectHost(m *dialect.Metrics) dialect.Host {
	host := dialect.Host{
		NewLog: b.engine.NewLog, Sources: b.cfg.Sources, Resuming: b.resuming, Draining: b.draining.Load, Clients: b.Clients,
		NewPublisher: func(exchange string) (dialect.Publish, error) { return b.newDialectPublisher(exchange, m) },
		Metrics:      m, Logger: b.log, Now: b.cfg.now, After: b.cfg.after,
		Drain: func() {
			select {
			case b.stopAsked <- struct{}{}:
			default: // it is asked already
			}
		},
	}
	if host.Now == nil {
		host.Now = time.Now
	}
	if host.After == nil {
		host.After = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	return host
}

// newDialectPublisher returns a function that publishes to an exchange.
func (b *Bridge) newDialectPublisher(exchange string, m *dialect.Metrics) (dialect.Publish, error) {
	cfg := b.linkConfig(exchange, amqpx.ExchangeOptions{Passive: true, Persistent: true})
	cfg.MaxPending, cfg.PublishTimeout = 16<<10, 10*time.Second
	link, err := amqpx.New(cfg)
	if err != nil {
		return nil, err
	}
	b.dialectLinks = append(b.dialectLinks, link)
	for o := range amqpx.Unknown + 1 {
		m.Publishing(o.String())
	}
	return func(key string, body []byte, done func(confirmed bool)) {
		message := amqpx.Message{Key: key, Publishing: amqpx.Publishing{ContentType: jsonType, DeliveryMode: 1, Body: body}}
		told := func(o amqpx.Outcome) {
			m.Published(o.String())
			if done != nil {
				done(o == amqpx.Confirmed)
			}
		}
		if err := link.Publish(message, told); err != nil { // AMQP cannot carry it
			told(amqpx.Refused)
		}
	}, nil
}

// runDialects runs the dialects, and what they publish by, until the context ends.
func (b *Bridge) runDialects(ctx context.Context, running *sync.WaitGroup) {
	for _, link := range b.dialectLinks {
		running.Go(func() {
			_ = link.Run(ctx) // without FailFast there is no error
		})
	}
	for _, d := range b.dialects {
		running.Go(func() { d.Run(ctx) })
	}
}

// dialectFor returns the dialect of a request's path, with or without the slash at its end, or nil.
func (b *Bridge) dialectFor(r *engine.Request) (best *mountedDialect) {
	if len(b.dialects) == 0 {
		return nil
	}
	raw, _, _ := strings.Cut(r.Target(), "?")
	path, err := rooms.DecodePath(raw)
	if err != nil {
		return nil // the bridge says what is wrong with it
	}
	for _, d := range b.dialects {
		if d.serves(path) && (best == nil || len(d.Path) > len(best.Path)) {
			best = d
		}
	}
	if best != nil {
		return best
	}
	i := slices.IndexFunc(b.dialects, func(d *mountedDialect) bool { return path+"/" == d.Path })
	if i < 0 {
		return nil
	}
	return b.dialects[i]
}

// serves reports whether a path is the dialect's.
func (d *mountedDialect) serves(path string) bool {
	if strings.HasSuffix(d.Path, "/") {
		return strings.HasPrefix(path, d.Path)
	}
	return path == d.Path || strings.HasPrefix(path, d.Path+"/")
}

// acceptDialect lets a dialect decide about an upgrade.
func (b *Bridge) acceptDialect(d *mountedDialect, r *engine.Request) (engine.Accepted, error) {
	if no := b.checkOrigin(r); no != nil {
		return engine.Accepted{}, no
	}
	u, err := b.readUpgrade(r)
	if err != nil {
		return engine.Accepted{}, err
	}
	_, query, asked := strings.Cut(u.target, "?")
	if u.path+"/" == d.Path {
		return engine.Accepted{}, movedTo(d.Path, query, asked)
	}
	accepted, err := d.Accept(&dialect.Request{Request: r, Path: u.path, Query: query, Remote: u.remote, ID: b.clientID(u.number)})
	if err != nil || accepted.Later == nil {
		return b.admitToDialect(d, u, accepted, err)
	}
	return engine.Accepted{Later: func(ctx context.Context) engine.Decision {
		decide := accepted.Later(ctx)
		return func() (engine.Accepted, error) {
			accepted, err := decide()
			return b.admitToDialect(d, u, accepted, err)
		}
	}}, nil
}

// movedTo sends a client to a path, as net/http does for a path without the slash at its end.
func movedTo(path, query string, asked bool) *engine.RejectError {
	location := (&url.URL{Path: path, RawQuery: query, ForceQuery: asked && query == ""}).String()
	return &engine.RejectError{Status: http.StatusPermanentRedirect, Kind: pathKind, Location: location, Reason: "this is at " + location}
}

// admitToDialect accepts a client of a dialect.
func (b *Bridge) admitToDialect(d *mountedDialect, u upgradeRequest, a dialect.Accepted, err error) (engine.Accepted, error) {
	if err != nil {
		return engine.Accepted{}, err
	}
	c := &client{number: u.number, connectedAt: time.Now().UnixNano()}
	c.setRemote(u.remote)
	extra := c.addExtra()
	extra.dialect = &dialectClient{Session: a.Session, of: d}
	if u.path != commonPath {
		extra.path = strings.Clone(u.path)
	}
	return engine.Accepted{Log: a.Log, Session: c, Subprotocol: a.Subprotocol}, nil
}

// deliverToDialects delivers a message to the dialects that serve its room.
func (b *Bridge) deliverToDialects(m *rooms.Message) {
	for _, d := range b.dialects {
		if d.hasRoom(m.Path) {
			d.metrics.Message()
			d.Deliver(m)
		}
	}
}

// hasRoom reports whether a room is the dialect's.
func (d *mountedDialect) hasRoom(path string) bool {
	return d.Rooms == "/" || path == d.Rooms || strings.HasPrefix(path, d.Rooms+"/")
}

// dialectOf returns a dialect that has a room, or nil.
func (b *Bridge) dialectOf(room string) *mountedDialect {
	for _, d := range b.dialects {
		if d.hasRoom(room) {
			return d
		}
	}
	return nil
}

// gapForDialects tells the dialects that messages of a source may have been lost.
func (b *Bridge) gapForDialects(s *rooms.Source, from, to time.Time) {
	for _, d := range b.dialects {
		d.Gap(s, from, to)
	}
}

// routeDialects adds the requests that dialects answer. That the bridge or another dialect answers
// one of them is an error of the router.
func (b *Bridge) routeDialects(mux *router) {
	for _, d := range b.dialects {
		for pattern, h := range d.Routes() {
			if slices.Contains(mux.patterns, pattern) {
				mux.wrong = dialectError(d.Mount, fmt.Errorf("at %s the dialect would answer %s, which the bridge or another dialect answers; choose another path", d.Path, pattern))
				continue
			}
			mux.Handle(pattern, b.notForeign(h))
		}
	}
}

// notForeign refuses requests of pages that may not use the bridge, also with access control, whose
// credentials dialects do not ask for.
func (b *Bridge) notForeign(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if no := callerOf(r).foreign; no != nil {
			b.refusals.Note(no.Kind, "client", r.RemoteAddr, "why", no.Error())
			http.Error(w, no.Error(), http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}
