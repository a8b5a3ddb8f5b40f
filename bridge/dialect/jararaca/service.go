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

	// mu guards the following fields. They are about what was published last: its messages, one
	// for each of its rooms, come one after the other, and share their bytes.
	mu        sync.Mutex
	whole     *byte  // the first of them; nil for none
	published uint64 // its number
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
		c := &client{service: s, paths: s.paths(names)}
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
	if len(m.Whole) == 0 || s.whole != &m.Whole[0] {
		s.whole = nil
		s.published++
	}
	if len(m.Whole) > 0 {
		s.whole = &m.Whole[0]
	}
	for _, g := range s.groups.of(m.Path) {
		if g.had != s.published {
			g.had = s.published
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
}

// Open implements [dialect.Session].
func (c *client) Open(conn engine.Conn) {
	if c.group = c.service.groups.enter(c.paths, conn); c.group == nil {
		conn.Close(tryAgainLater, errFull.Error())
		return
	}
	c.paths = nil // the group has them
}

// Message implements [dialect.Session]. What clients send belongs to the application.
func (c *client) Message(engine.Conn, engine.Message) {}

// Closed implements [dialect.Session].
func (c *client) Closed(int, string) {
	if c.group != nil {
		c.service.groups.leave(c.group)
	}
}
