package reddit

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/limitedlog"
)

// service is the dialect. It implements [dialect.Dialect].
type service struct {
	place      dialect.Place
	host       dialect.Host
	signed     *access.SignedURLs
	token      string          // may quiesce; "" is none
	publish    dialect.Publish // to the status exchange; nil for none
	failures   *limitedlog.Log // of publish
	namespaces *namespaces
	resuming   atomic.Int64 // clients that are not among those of the namespaces
	asked      atomic.Bool  // to stop, by a request to quiesce
}

// clients returns how many clients there are.
func (s *service) clients() int { return s.namespaces.clients() + int(s.resuming.Load()) }

// quiesced reports whether the bridge is stopping, from the moment at which it has been told to.
func (s *service) quiesced() bool { return s.asked.Load() || s.host.Draining() }

// The close codes of RFC 6455, 7.4.1.
const (
	normalClosure = 1000
	goingAway     = 1001
	tryAgainLater = 1013
)

// Accept implements [dialect.Dialect].
func (s *service) Accept(r *dialect.Request) (dialect.Accepted, error) {
	m, _ := signatureIn(r.Query)
	if no := s.signed.Check(r.Path, m); no != nil {
		return dialect.Accepted{}, &engine.RejectError{Status: http.StatusForbidden, Reason: no.Reason}
	}
	switch {
	case s.quiesced():
		return dialect.Accepted{Session: refused{goingAway, "the bridge is stopping; connect again"}}, nil
	case r.Path == s.below("/health"):
		return dialect.Accepted{Session: refused{normalClosure, ""}}, nil
	}
	path, err := rooms.CleanPath(s.room(r.Path))
	if err != nil {
		return dialect.Accepted{}, &engine.RejectError{Status: http.StatusBadRequest, Reason: err.Error()}
	}
	if s.namespaces.full(path) {
		return dialect.Accepted{}, &engine.RejectError{Status: http.StatusServiceUnavailable, Reason: errTooManyNamespaces.Error()}
	}
	since, err := s.host.Resuming.Asked(r.Query)
	if err != nil {
		return dialect.Accepted{}, &engine.RejectError{Status: http.StatusBadRequest, Reason: err.Error()}
	}
	return dialect.Accepted{Session: &client{service: s, path: path, name: strings.Clone(r.Path), since: since, remote: r.Remote}}, nil
}

// room returns the path of the room of a namespace.
func (s *service) room(path string) string {
	if s.place.Rooms == strings.TrimSuffix(s.place.Path, "/") || s.place.Rooms == s.place.Path {
		return path
	}
	return strings.TrimSuffix(s.place.Rooms, "/") + "/" + strings.TrimPrefix(strings.TrimPrefix(path, s.place.Path), "/")
}

// below returns a path below that of the dialect.
func (s *service) below(path string) string { return strings.TrimSuffix(s.place.Path, "/") + path }

// Deliver implements [dialect.Dialect].
func (s *service) Deliver(m *rooms.Message) {
	if m.Format == rooms.FormatRaw {
		s.namespaces.deliver(m.Path, m.Frame)
	}
}

// Gap implements [dialect.Dialect]. The protocol has no word for it.
func (s *service) Gap(*rooms.Source, time.Time, time.Time) {}

// Run implements [dialect.Dialect].
func (s *service) Run(ctx context.Context) { s.signed.Run(ctx) }

// client is a client of a namespace. It implements [dialect.Session].
type client struct {
	service   *service
	path      string // of the room
	name      string // of the namespace, as the client wrote it
	namespace *namespace
	// since is where a client was that resumes. It follows its namespace together with others.
	since   *rooms.Since
	remote  string
	follows *rooms.Follower
}

// Open implements [dialect.Session].
func (c *client) Open(conn engine.Conn) {
	if c.since != nil {
		var err error
		if c.follows, err = c.service.host.Resuming.Enter(conn, c.remote, rooms.Wanted{Paths: []string{c.path}, Format: rooms.FormatRaw}, *c.since); err != nil {
			conn.Close(tryAgainLater, err.Error())
			return
		}
		c.service.resuming.Add(1)
		c.tell("websocket.connect")
		return
	}
	if c.namespace = c.service.namespaces.enter(c.path, conn); c.namespace == nil {
		conn.Close(tryAgainLater, errTooManyNamespaces.Error())
		return
	}
	c.tell("websocket.connect")
}

// Resumes implements [dialect.Resumer].
func (c *client) Resumes() bool { return c.follows != nil }

// Message implements [dialect.Session]. What clients send is ignored.
func (c *client) Message(engine.Conn, engine.Message) {}

// Closed implements [dialect.Session].
func (c *client) Closed(int, string) {
	switch {
	case c.follows != nil:
		c.service.host.Resuming.Leave(c.follows)
		c.service.resuming.Add(-1)
	case c.namespace != nil:
		c.service.namespaces.leave(c.namespace)
	default:
		return
	}
	c.tell("websocket.disconnect")
}

// tell publishes to the status exchange. It is not repeated: after a client has connected again, that it
// had left would be wrong.
func (c *client) tell(key string) {
	if c.service.publish == nil {
		return
	}
	body := protocol.JSON(struct {
		Namespace string `json:"namespace"`
	}{c.name})
	c.service.publish(key, body, func(confirmed bool) {
		if !confirmed {
			c.service.failures.Note(key, "namespace", c.name)
		}
	})
}

// refused is a client that is closed as soon as it is open.
type refused struct {
	code   int
	reason string
}

// Open implements [dialect.Session].
func (r refused) Open(conn engine.Conn) { conn.Close(r.code, r.reason) }

// Message implements [dialect.Session].
func (refused) Message(engine.Conn, engine.Message) {}

// Closed implements [dialect.Session].
func (refused) Closed(int, string) {}
