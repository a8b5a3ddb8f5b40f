package hub

import (
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// Log is followed by the clients of a group: what is appended goes to all of them, in order.
// *[engine.Log] is one.
type Log interface {
	Append(f engine.Frame)
	AppendWithin(f engine.Frame, d time.Duration)
	Close()
}

// Conn is a client's connection, as [engine.Conn] has it, but for the kind of log.
type Conn interface {
	Follow(log Log, first ...engine.Frame)
	SendInOrder(frames ...engine.Frame)
	Send(f engine.Frame)
	Close(code int, reason string)
}

// Client is a sender of commands. Clients are compared.
type Client interface {
	Remote() string    // its address, perhaps with a port
	HasLeft() bool     // its connection has ended
	Session() *Session // nil unless it speaks v1
}
