package access

// Door is what a client wants to do, beside hearing replies.
type Door int

// The doors.
const (
	// SendCommand sends a command to a consumer.
	SendCommand Door = iota
	// EnterRoom hears the messages of a room, on a connection of its own or by a subscription.
	EnterRoom
	// PublishToRoom publishes a message to a room.
	PublishToRoom
	// ListClients lists the connected clients.
	ListClients
	// Administer closes connections, reads profiles and hears notices of the broker in full.
	Administer
)

// Request is what a client wants to do.
type Request struct {
	Door
	Consumer      string // of a command
	CommandString string // of a command
	Room          string // clean path of a room
}

// Decision is the answer to a request.
type Decision struct {
	Allowed bool
	// Rule is the rule that decided, for the audit log, such as "observer: command[0]".
	Rule string
	// Reason says why it is refused, in a whole sentence for the client.
	Reason string
}

// Decide decides whether a principal may do something. A nil principal may do everything: then
// there is no access control.
func (p *Principal) Decide(r Request) Decision { return Decision{Allowed: true} }
