package access

import "context"

// Ask is a request that the callback decides, too, as "ask" configures.
type Ask struct {
	Op       string // subscribe or command
	Client   string // the id of the session
	Path     string // of a room
	Consumer string // of a command
	Command  string // command_string of a command
	ID       string // id of a subscription, or the command_id
	Extra    []byte // the object that the client sent for the application, as JSON; nil if none
}

// Event is something that happened, for the application.
type Event struct {
	Op     string // subscribe, unsubscribe or message
	Client string // the id of the session
	Path   string // of a room
	ID     string // of the subscription
	Body   []byte // of a message, as JSON
}

// Asks reports whether the callback decides an op, too: subscribe or command.
func (a *Authority) Asks(op string) bool { return a.asked() != nil && a.asked().asks[op] }

// Ask asks the callback whether a principal may do something that its grants allow. It returns
// what the application has for the client in "data", or why not. It blocks, up to the
// callback's timeout.
func (a *Authority) Ask(ctx context.Context, p *Principal, r Ask) (data []byte, refused *Refusal) {
	return a.asked().ask(ctx, p, r)
}

// Renew asks the callback about a principal whose RenewAfter has passed. It blocks, up to the
// callback's timeout. If the callback does not answer, the principal stays, to be renewed
// again, until the time of grace has passed.
func (a *Authority) Renew(ctx context.Context, p *Principal) (*Principal, *Refusal) {
	return a.asked().renew(ctx, p)
}

// Event tells the callback what happened, if it is configured to hear of it. It never blocks:
// events wait in a bounded queue, and are dropped and counted when that is full.
func (a *Authority) Event(p *Principal, e Event) {
	if c := a.asked(); c != nil {
		c.event(p, e)
	}
}
