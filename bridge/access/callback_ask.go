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
func (a *Authority) Asks(op string) bool {
	c := a.asked()
	return c != nil && c.asks[op]
}

// ask asks whether a principal may do something. It blocks. Unknown is refused: a command must
// not wait until somebody can be asked.
func (c *callback) ask(ctx context.Context, p *Principal, r Ask) ([]byte, *Refusal) {
	if !c.asks[r.Op] {
		return nil, nil
	}
	about, name := &renewal{}, ""
	if p != nil {
		name = p.Name
		if p.renewal != nil {
			about = p.renewal
		}
	}
	result := c.send(ctx, c.posted(about, asked{
		Op: r.Op, Name: &name, Path: r.Path, Client: r.Client, Consumer: r.Consumer, Command: r.Command, ID: r.ID, Extra: r.Extra,
	}))
	switch result.outcome {
	case yes:
		return result.answer.data, nil
	case no:
		return result.answer.data, refuse(403, "forbidden", result.reason("the application that decides about this refuses it")).Refusal
	}
	return nil, unavailable("the application that decides about this does not answer; try again soon", result.retry).Refusal
}

// Ask asks the callback whether a principal may do something that its grants allow. It returns
// what the application has for the client in "data", or why not. It blocks, up to the
// callback's timeout.
func (a *Authority) Ask(ctx context.Context, p *Principal, r Ask) (data []byte, refused *Refusal) {
	c := a.asked()
	if c == nil { // the configuration has been replaced
		return nil, nil
	}
	return c.ask(ctx, p, r)
}

// Renew asks the callback about a principal whose RenewAfter has passed. It blocks, up to the
// callback's timeout. If the callback does not answer, the principal stays, to be renewed
// again, until the time of grace has passed.
func (a *Authority) Renew(ctx context.Context, p *Principal) (*Principal, *Refusal) {
	c := a.asked()
	if c == nil { // the configuration has been replaced, and with it the principal
		return a.Current(p)
	}
	return c.renew(ctx, p)
}

// Stay returns a principal whose renewal could not be decided, because the callback does not
// answer: the verdict about its new credential had the status 503. It stays until the time of
// grace has passed.
func (a *Authority) Stay(p *Principal) (*Principal, *Refusal) {
	c := a.asked()
	if c == nil || p.renewal == nil {
		return p, nil
	}
	return c.stay(p)
}

// CallbackStats returns figures about the callback; zeros if there is none.
func (a *Authority) CallbackStats() CallbackStats {
	if c := a.asked(); c != nil {
		return c.stats()
	}
	return CallbackStats{}
}

// Event tells the callback what happened, if it is configured to hear of it. It never blocks:
// events wait in a bounded queue, and are dropped and counted when that is full.
func (a *Authority) Event(p *Principal, e Event) {
	if c := a.asked(); c != nil {
		c.event(p, e)
	}
}
