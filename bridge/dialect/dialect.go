package dialect

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// Dialect is the protocol of another system on a path. Its methods are called concurrently. Accept,
// Deliver and Gap must not block.
type Dialect interface {
	// Accept decides on an upgrade, on the engine's loop. A decision that takes long parks the
	// connection ([Accepted].Later).
	Accept(r *Request) (Accepted, error)
	// Deliver takes a message for a room, in the order of its source.
	Deliver(m *rooms.Message)
	// Gap says that messages for rooms of a source may have been lost between two times.
	Gap(s *rooms.Source, from, to time.Time)
	// Routes returns the requests that it answers on the clients' port, by patterns of
	// [http.ServeMux].
	Routes() map[string]http.Handler
	// Run runs until the context ends, which is when the last client has left.
	Run(ctx context.Context)
}

// Request is an upgrade request, valid only during [Dialect.Accept] unless it is cloned.
type Request struct {
	*engine.Request
	// Path is decoded, and begins with that of the dialect.
	Path string
	// Query is as sent.
	Query string
	// Remote names the client's address.
	Remote string
	// ID is unique among the clients of all bridges.
	ID string
}

// Accepted says how an accepted connection starts.
type Accepted struct {
	// Log is what it follows; nil for none.
	Log *engine.Log
	// Session receives its calls.
	Session Session
	// Subprotocol is named in the response, if the client offers it.
	Subprotocol string
	// Later decides instead, on a goroutine that may wait: see [engine.Accepted].
	Later func(ctx context.Context) Decision
}

// Decision is the decision on a parked connection. It is called on its loop, if the client is still
// there.
type Decision func() (Accepted, error)

// Session is a connected client of a dialect. Its methods are called on the engine's loop, one at a
// time, and must not block.
type Session interface {
	// Open is called before any message.
	Open(conn engine.Conn)
	// Message takes a message of the client, whose payload is valid only during the call.
	Message(conn engine.Conn, m engine.Message)
	// Closed is called once, when the connection ends, as [engine.Handler].Closed.
	Closed(code int, reason string)
}

// Resumer is a [Session] whose client may have the messages of [rooms.Resuming], and so knows the word
// for messages that are left out.
type Resumer interface{ Resumes() bool }

// Host is the bridge as a dialect sees it.
type Host struct {
	// NewLog returns a log that many clients may follow.
	NewLog func() *engine.Log
	// Sources are all sources of rooms.
	Sources []rooms.Source
	// Resuming serves the clients that ask for what they missed.
	Resuming *rooms.Resuming
	// NewPublisher returns a function that publishes to an exchange of the bridge's broker, which is
	// declared as a topic exchange if it is missing. It is called while the dialect is made.
	NewPublisher func(exchange string) (Publish, error)
	// Drain makes the bridge stop as on SIGTERM: it closes its clients at its rate, and then ends.
	Drain func()
	// Draining reports whether the bridge is stopping.
	Draining func() bool
	// Clients returns how many clients the bridge has.
	Clients func() int
	// Metrics count what the dialect does.
	Metrics *Metrics
	// Logger gets what an operator should know.
	Logger *slog.Logger
	// Now and After are the clock; After calls f once, unless it is stopped before.
	Now   func() time.Time
	After func(d time.Duration, f func()) (stop func() bool)
}

// Publish publishes a message. It does not block. done, if it is not nil, is told once whether the
// broker has the message.
type Publish func(key string, body []byte, done func(confirmed bool))

// Mount is a dialect and where it is.
type Mount struct {
	Place
	// Name is that of the dialect, such as socketshark.
	Name string
	// Key is where it is in the configuration, such as [0]: the paths of errors about it begin so.
	Key string
	// New makes the dialect. It is called once.
	New func(h Host) (Dialect, error)
}

// Place is where a dialect is.
type Place struct {
	// Path is the path of its clients' requests: those at and below it, or, if it ends with a slash,
	// only those below it.
	Path string
	// Rooms is the path at and below which the rooms are whose messages it gets.
	Rooms string
}

// PathError is what is wrong with the value at a path of a dialect's configuration, as in
// services.trades.url. "" is the configuration as a whole.
type PathError struct {
	Path string
	Err  error
}

func (e *PathError) Error() string { return strings.TrimPrefix(e.Path+" "+e.Err.Error(), " ") }

// Unwrap returns the error without the path.
func (e *PathError) Unwrap() error { return e.Err }
