package hub

import (
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// Log is a log that many clients follow: what is appended goes to all of them, in order.
// [engine.Log] implements it.
type Log interface {
	// Append appends a frame, which is written at once.
	Append(f engine.Frame)
	// AppendWithin appends a frame that may wait up to d for others.
	AppendWithin(f engine.Frame, d time.Duration)
	// Close releases the log. No frame is appended after it.
	Close()
}

// Conn is a client's connection: [engine.Conn] with logs of the type [Log].
type Conn interface {
	// Follow makes the connection follow a log, after what its former log holds and the first
	// frames. With a nil log it follows none.
	Follow(log Log, first ...engine.Frame)
	// SendInOrder sends frames after what the log holds.
	SendInOrder(frames ...engine.Frame)
	// Send sends a frame at once.
	Send(f engine.Frame)
	// Close closes the connection with a close frame.
	Close(code int, reason string)
}

// Client is a sender of commands. Its values are compared.
type Client interface {
	// Remote returns the client's address, with or without a port.
	Remote() string
	// HasLeft reports whether the connection has ended.
	HasLeft() bool
	// Session returns the client's session, or nil unless it speaks v1.
	Session() *Session
	// Self identifies the client's principal among all, or the client if that has no name: clients
	// with equal texts have the same own commands. "" has none.
	Self() string
}
