package jararaca

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// service is the dialect. It implements [dialect.Dialect].
type service struct {
	place  dialect.Place
	routes []*route
	groups *groups
	// resuming serves the clients that ask for what they missed.
	resuming *rooms.Resuming

	mu sync.Mutex // guards what the groups have had
}

// tryAgainLater is the close code for a bridge that is full.
const tryAgainLater = 1013

// Accept implements [dialect.Dialect].
func (s *service) Accept(r *dialect.Request) (dialect.Accepted, error) {
	for _, of := range s.routes {
		parameters, ok := of.match(r.Path)
		if !ok {
			continue
		}
		names, err := of.rooms(parameters, r.Query)
		if err != nil {
			return dialect.Accepted{}, &engine.RejectError{Status: http.StatusBadRequest, Reason: err.Error()}
		}
		c := &client{service: s, paths: s.paths(names), remote: r.Remote}
		if c.since, err = s.resuming.Asked(r.Query); err != nil {
			return dialect.Accepted{}, &engine.RejectError{Status: http.StatusBadRequest, Reason: err.Error()}
		}
		if s.groups.full(c.paths) {
			return dialect.Accepted{}, &engine.RejectError{Status: http.StatusServiceUnavailable, Reason: errFull.Error()}
		}
		return dialect.Accepted{Session: c}, nil
	}
	return dialect.Accepted{}, &engine.RejectError{Status: http.StatusForbidden, Reason: "no route of this bridge has this path"}
}

// paths returns the paths of rooms.
func (s *service) paths(names []string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = strings.TrimSuffix(s.place.Rooms, "/") + "/" + rooms.EscapeName(name)
	}
	return paths
}

// heard returns the paths that a client follows: those of its rooms, or the one of broadcasts.
func (s *service) heard(paths []string) []string {
	if len(paths) == 0 {
		return []string{s.place.Rooms}
	}
	return paths
}

// Deliver implements [dialect.Dialect]. A message for the rooms' own path is for all clients.
func (s *service) Deliver(m *rooms.Message) {
	if m.Format != rooms.FormatJararaca {
		return
	}
	if m.Path == s.place.Rooms {
		for _, g := range s.groups.all() {
			g.append(m.Frame)
		}
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.groups.of(m.Path) {
		if g.had != m.Publication {
			g.had = m.Publication
			g.append(m.Frame)
		}
	}
}

// Gap implements [dialect.Dialect]. The protocol has no word for it.
func (s *service) Gap(*rooms.Source, time.Time, time.Time) {}

// Routes implements [dialect.Dialect]. The requests of the application's pages are its own.
func (s *service) Routes() map[string]http.Handler { return nil }

// Run implements [dialect.Dialect].
func (s *service) Run(context.Context) {}

// client is a client in rooms. It implements [dialect.Session].
type client struct {
	service *service
	paths   []string
	group   *group
	// since is where a client was that resumes. It follows its rooms together with others.
	since   *rooms.Since
	remote  string
	follows *rooms.Follower
}

// Open implements [dialect.Session].
func (c *client) Open(conn engine.Conn) {
	if c.since != nil {
		var err error
		if c.follows, err = c.service.resuming.Enter(conn, c.remote, rooms.Wanted{Paths: c.service.heard(c.paths), Format: rooms.FormatJararaca}, *c.since); err != nil {
			conn.Close(tryAgainLater, err.Error())
		}
		return
	}
	if c.group = c.service.groups.enter(c.paths, conn); c.group == nil {
		conn.Close(tryAgainLater, errFull.Error())
		return
	}
	c.paths = nil // the group has them
}

// Resumes implements [dialect.Resumer].
func (c *client) Resumes() bool { return c.follows != nil }

// Message implements [dialect.Session]. What clients send belongs to the application.
func (c *client) Message(engine.Conn, engine.Message) {}

// Closed implements [dialect.Session].
func (c *client) Closed(int, string) {
	switch {
	case c.follows != nil:
		c.service.resuming.Leave(c.follows)
	case c.group != nil:
		c.service.groups.leave(c.group)
	}
}
