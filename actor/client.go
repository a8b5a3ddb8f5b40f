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

// defaultClientCommands is how many commands are followed at once by default.
const defaultClientCommands = 1024

// SendOptions are options of a command.
type SendOptions struct {
	// CommandID is the command's id; "" makes a new one.
	CommandID string
	// Internal asks the actor to mark its replies as internal.
	Internal bool
	// NoLog asks the actor not to log the command.
	NoLog bool
	// OnReply, if set, is called with each of the command's replies in order. It must not
	// block, because all commands of the client would wait for it.
	OnReply func(Reply)
}

// Client sends commands to actors and follows each to its end. Its methods may
// be called from any goroutine.
type Client struct {
	name        string
	maxCommands int
	link        *amqpx.Link
	onReply     func(Reply) // may be nil
	log         *slog.Logger

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
		name:        cfg.Name,
		maxCommands: cmp.Or(cfg.MaxCommands, defaultClientCommands),
		onReply:     cfg.OnReply,
		log:         cfg.logger(),
		pending:     make(map[string]*Pending),
	}
	link := cfg.link(amqpx.Queue{Name: RepliesQueue(c.name), Bindings: []string{"reply.#"}, Deliver: c.receive})
	onState := link.OnState
	link.OnState = func(s amqpx.State) {
		if !s.Up {
			c.endAll()
		}
		if onState != nil {
			onState(s)
		}
	}
	var err error
	if c.link, err = amqpx.New(link); err != nil {
		return nil, err
	}
	return c, nil
}

// Name returns the client's name on the exchange.
func (c *Client) Name() string { return c.name }

// Run keeps the client linked until the context ends. Commands that are still running then
// end as [StatusUnknown]. A client runs once. The error is nil, or the link's if that is
// configured to fail fast.
func (c *Client) Run(ctx context.Context) error { return c.link.Run(ctx) }

// Ready waits until the client is linked to the broker and receives replies. The error is
// [amqpx.ErrClosed] if the client has ended, or the context's, with the reason why the link
// is down.
func (c *Client) Ready(ctx context.Context) error { return c.link.Ready(ctx) }

// Send sends a command to an actor, the consumer, and follows it to its end. If the context
// ends first, the command ends as [StatusUnknown]. Send does not wait: [Pending.Wait]
// reports the outcome. Send returns an error if the command is not sent at all, because
// AMQP cannot carry it, its id is in use, too many commands are running, or the context has
// ended.
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
	p.release = func() { c.unregister(p) }
	if err := c.register(p); err != nil {
		return nil, err
	}
	p.watch(ctx)
	if err := c.link.Publish(cmd.Message(), func(o amqpx.Outcome) { c.onOutcome(p, o) }); err != nil {
		p.end(StatusUnsent, err.Error())
		return nil, err
	}
	return p, nil
}

// register adds a command to those that the client follows.
func (c *Client) register(p *Pending) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) >= c.maxCommands {
		return fmt.Errorf("actor: %d commands are running already; wait for one to end", len(c.pending))
	}
	if _, taken := c.pending[p.Command.CommandID]; taken {
		return errors.New("actor: a command with this command_id is running already; choose another")
	}
	c.pending[p.Command.CommandID] = p
	return nil
}

func (c *Client) unregister(p *Pending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending[p.Command.CommandID] == p {
		delete(c.pending, p.Command.CommandID)
	}
}

// receive passes a reply to the command that it answers. Unless OnReply is set, replies to
// other clients are dropped before they are parsed.
func (c *Client) receive(d *amqpx.Delivery) {
	c.mu.Lock()
	p := c.pending[d.CorrelationId]
	c.mu.Unlock()
	if p == nil && c.onReply == nil {
		return
	}
	r, err := ParseReply(d)
	if err != nil && p != nil {
		c.log.Warn("a reply to a running command was dropped", "reason", err, "routing_key", d.RoutingKey, "command_id", d.CorrelationId)
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

// onOutcome handles the outcome of a command's publishing.
func (c *Client) onOutcome(p *Pending, outcome amqpx.Outcome) {
	text := OutcomeText(outcome, p.Command.Consumer)
	switch outcome {
	case amqpx.Confirmed:
	case amqpx.Returned:
		c.publishUnroutable(p)
	case amqpx.Unknown, amqpx.Refused:
		// A reply shows that the command arrived, whatever the broker says.
		if !p.answered() {
			p.end(StatusUnknown, text)
		}
	default:
		p.end(StatusUnsent, text)
	}
}

// publishUnroutable publishes the failure of an unroutable command, as CLU does, so that
// every client on the exchange sees it. Its receipt ends the command here.
func (c *Client) publishUnroutable(p *Pending) {
	p.markUnroutable()
	text := UnroutableText(p.Command.Consumer)
	onOutcome := func(outcome amqpx.Outcome) {
		if outcome != amqpx.Confirmed {
			c.log.Warn("the reply for an unroutable command was not published", "outcome", outcome.String(),
				"consumer", p.Command.Consumer, "command_id", p.Command.CommandID)
			p.end(StatusUnroutable, text)
		}
	}
	if err := c.link.Publish(p.Command.UnroutableReply(c.name), onOutcome); err != nil {
		c.log.Error("the reply for an unroutable command cannot be sent", "error", err, "command_id", p.Command.CommandID)
		p.end(StatusUnroutable, text)
	}
}

// endAll ends every running command as unknown: the link that would have received its
// replies is down.
func (c *Client) endAll() {
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
