package actor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/clu-ws/clu-ws/amqpx"
)

// defaultClientCommands is how many commands are followed at once if the
// configuration does not say.
const defaultClientCommands = 1024

// SendOptions are what a command may carry besides its string.
type SendOptions struct {
	// CommandID is the command's id; "" is a new one.
	CommandID string
	// Internal asks the actor to mark its replies as internal.
	Internal bool
	// NoLog asks the actor not to log the command.
	NoLog bool
	// OnReply, if set, is called with each reply in order, and must not block: all
	// of the client's commands wait for it.
	OnReply func(Reply)
}

// Client sends commands to actors and follows each to its end. Its methods may
// be called from any goroutine.
type Client struct {
	name    string
	limit   int
	link    *amqpx.Link
	linked  *gate
	onReply func(Reply) // nil: not wanted
	log     *slog.Logger

	// mu guards the following field.
	mu      sync.Mutex
	pending map[string]*Pending // by command id
}

// NewClient returns a client. Nothing is dialled before [Client.Run].
func NewClient(cfg Config) (*Client, error) {
	if cfg.Version != "" || len(cfg.Schema) > 0 {
		return nil, errors.New("actor: only an actor has a version and a schema; leave both out for a client")
	}
	cfg.Name = cmp.Or(cfg.Name, NewClientName())
	if err := checkName(cfg.Name); err != nil {
		return nil, err
	}
	c := &Client{
		name:    cfg.Name,
		limit:   cmp.Or(cfg.MaxCommands, defaultClientCommands),
		linked:  newGate(),
		onReply: cfg.OnReply,
		log:     cfg.logger(),
		pending: make(map[string]*Pending),
	}
	link := cfg.link(amqpx.Queue{Name: RepliesQueue(c.name), Bindings: []string{"reply.#"}, Deliver: c.hear})
	onState := c.linked.follow(link.OnState)
	link.OnState = func(s amqpx.State) {
		if !s.Up {
			c.loseTrack()
		}
		onState(s)
	}
	var err error
	if c.link, err = amqpx.New(link); err != nil {
		return nil, err
	}
	return c, nil
}

// Name is the client's name on the exchange.
func (c *Client) Name() string { return c.name }

// Run keeps the client linked until the context ends; what runs then ends as
// unknown. A client runs once. The error is nil, or the link's if it is set to
// fail fast.
func (c *Client) Run(ctx context.Context) error {
	defer c.linked.end()
	return c.link.Run(ctx)
}

// Ready waits until the client is linked to the broker and hears replies.
func (c *Client) Ready(ctx context.Context) error { return c.linked.wait(ctx) }

// Send sends a command and follows it to its end, or until the context ends:
// then it ends as unknown, and its place is free. Send does not wait. What the
// broker makes of the command comes with [Pending.Wait]; the error is for a
// command that is not sent because of itself: what AMQP cannot carry, an id that
// is in use, too many running, a context that has ended.
func (c *Client) Send(ctx context.Context, consumer, commandString string, opts SendOptions) (*Pending, error) {
	cmd := NewCommand(c.name, consumer, commandString, opts.CommandID)
	cmd.Internal, cmd.NoLog = opts.Internal, opts.NoLog
	if err := cmd.Validate(); err != nil {
		return nil, fmt.Errorf("actor: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := newPending(cmd, opts.OnReply)
	p.free = func() { c.forget(p) }
	if err := c.follow(p); err != nil {
		return nil, err
	}
	p.watch(ctx)
	if err := c.link.Publish(cmd.Message(), func(o amqpx.Outcome) { c.settle(p, o) }); err != nil {
		p.end(StatusUnsent, err.Error())
		return nil, err
	}
	return p, nil
}

// follow takes a place for a command.
func (c *Client) follow(p *Pending) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) >= c.limit {
		return fmt.Errorf("actor: %d commands are running already; wait for one to end", len(c.pending))
	}
	if _, taken := c.pending[p.Command.CommandID]; taken {
		return errors.New("actor: a command with this command_id is running already; choose another")
	}
	c.pending[p.Command.CommandID] = p
	return nil
}

func (c *Client) forget(p *Pending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending[p.Command.CommandID] == p {
		delete(c.pending, p.Command.CommandID)
	}
}

// hear hands a reply to the command that it answers. Most answer somebody
// else's, and are dropped before they are parsed.
func (c *Client) hear(d *amqpx.Delivery) {
	c.mu.Lock()
	p := c.pending[d.CorrelationId]
	c.mu.Unlock()
	if p == nil && c.onReply == nil {
		return
	}
	r, err := ParseReply(d)
	if err != nil && p != nil {
		c.log.Warn("dropped a reply to a running command", "reason", err, "routing_key", d.RoutingKey, "command_id", d.CorrelationId)
	}
	if err != nil {
		return
	}
	if c.onReply != nil {
		c.onReply(r)
	}
	if p != nil {
		p.add(r)
	}
}

// settle takes the word of the broker on a command.
func (c *Client) settle(p *Pending, outcome amqpx.Outcome) {
	text := OutcomeText(outcome, p.Command.Consumer)
	switch outcome {
	case amqpx.Confirmed:
	case amqpx.Returned:
		c.tellUnroutable(p)
	case amqpx.Unknown, amqpx.Refused:
		// The actor's own word counts more than the broker's doubt.
		if !p.confirmed() {
			p.end(StatusUnknown, text)
		}
	default:
		p.end(StatusUnsent, text)
	}
}

// tellUnroutable lets everyone on the exchange see the command fail, as CLU does,
// this client included: hearing it ends the command.
func (c *Client) tellUnroutable(p *Pending) {
	p.markUnroutable()
	text := UnroutableText(p.Command.Consumer)
	told := func(outcome amqpx.Outcome) {
		if outcome != amqpx.Confirmed {
			c.log.Warn("nobody was told that a command is unroutable", "outcome", outcome.String(),
				"consumer", p.Command.Consumer, "command_id", p.Command.CommandID)
			p.end(StatusUnroutable, text)
		}
	}
	if err := c.link.Publish(p.Command.UnroutableReply(c.name), told); err != nil {
		c.log.Error("the reply for an unroutable command cannot be sent", "error", err, "command_id", p.Command.CommandID)
		p.end(StatusUnroutable, text)
	}
}

// loseTrack ends every command that runs: replies to this link are gone with it.
func (c *Client) loseTrack() {
	c.mu.Lock()
	lost := make([]*Pending, 0, len(c.pending))
	for _, p := range c.pending {
		lost = append(lost, p)
	}
	c.mu.Unlock()
	for _, p := range lost {
		p.end(StatusUnknown, "The link to the broker broke while the command ran; it may still run. Ask for the actor's status before sending it again.")
	}
}
