package actor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
)

// ActorConfig says who an actor is and where it serves.
type ActorConfig struct {
	// Name is the actor's name on the exchange, such as "dome".
	Name string
	// Version is what the command version answers; "" is CLU's "?".
	Version string
	// Schema is the JSON Schema of the actor's keywords; without one, get_schema
	// and keyword fail in CLU's words. Replies are not checked against it.
	Schema json.RawMessage
	// Link is how to reach the broker: URLs and whatever else is wanted. Name and
	// Queues are the actor's own; an empty Exchange is [Exchange].
	Link amqpx.Config
	// Limit is how many commands may run at once; what comes beyond fails at
	// once. 0 is 256.
	Limit int
	// OnReply, if set, hears every reply on the exchange, of any actor, in order
	// and from one goroutine. While it blocks, no more are taken.
	OnReply func(Reply)
}

// stopGrace is how long running commands have to end when the actor stops.
const stopGrace = 5 * time.Second

// Actor serves commands as CLU's actors do. Handlers are added before
// [Actor.Run]; after that its methods may be called from any goroutine.
type Actor struct {
	name, version string
	schema        *schema
	handlers      map[string]*handler
	link          *amqpx.Link
	linked        *gate
	out           *outbound
	running       running
	log           *slog.Logger
	base          context.Context // of the handlers; set by Run
}

// handler is one command: how it is called, what it does.
type handler struct {
	usage usage
	help  string
	run   func(context.Context, *Call) error
}

// NewActor makes an actor with CLU's own commands: ping, version, help,
// get_schema, keyword. Nothing is dialled before [Actor.Run].
func NewActor(cfg ActorConfig) (*Actor, error) {
	if err := checkName(cfg.Name); err != nil {
		return nil, err
	}
	model, err := newSchema(cfg.Schema)
	if err != nil {
		return nil, err
	}
	log := cfg.Link.Logger
	if log == nil {
		log = slog.Default()
	}
	log = log.With("actor", cfg.Name)
	a := &Actor{
		name:     cfg.Name,
		version:  cfg.Version,
		schema:   model,
		handlers: make(map[string]*handler),
		linked:   newGate(),
		out:      newOutbound(log, cfg.Link.MaxPending),
		running:  running{limit: cfg.Limit},
		log:      log,
	}
	if a.version == "" {
		a.version = "?"
	}
	if a.running.limit == 0 {
		a.running.limit = 256
	}
	if a.link, err = amqpx.New(a.linkConfig(cfg)); err != nil {
		return nil, err
	}
	a.out.link = a.link
	a.addBuiltins()
	return a, nil
}

// linkConfig completes the link's configuration with the queues that a CLU
// actor has. It is bound to the replies, too: so that nobody else takes its
// name, and none of its replies comes back because nobody listens.
func (a *Actor) linkConfig(cfg ActorConfig) amqpx.Config {
	link := cfg.Link
	link.Name = a.name
	link.Logger = a.log
	link.OnState = a.linked.follow(cfg.Link.OnState)
	if link.Exchange == "" {
		link.Exchange = Exchange
	}
	hear := func(*amqpx.Delivery) {}
	if cfg.OnReply != nil {
		hear = func(d *amqpx.Delivery) {
			if r, err := ParseReply(d); err == nil {
				cfg.OnReply(r)
			}
		}
	}
	link.Queues = []amqpx.Queue{
		{Name: CommandsQueue(a.name), Bindings: []string{"command." + a.name + ".#"}, Deliver: a.receive},
		{Name: RepliesQueue(a.name), Bindings: []string{"reply.#"}, Deliver: hear},
	}
	return link
}

// checkName refuses a name that cannot be part of a routing key and a pattern.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("actor: the name is empty")
	case strings.ContainsAny(name, "*# \t\r\n"):
		return fmt.Errorf("actor: the name %q contains a space, * or #", name)
	}
	return nil
}

// Handle adds a command. The usage is its name and its arguments as the help
// shows them: "slew RA DEC", "expose SECONDS [KIND]", "say TEXT..."; too few or
// too many fail in CLU's words. The first sentence of the help text is shown in
// the list of commands.
//
// The handler runs in its own goroutine. An error fails the command with that
// text, nil ends it well if it has not ended. Its context ends when the actor
// stops; a broker that goes away does not end it. Handle panics on a name that is
// taken or empty.
func (a *Actor) Handle(line, help string, run func(context.Context, *Call) error) {
	u := parseUsage(line)
	if _, taken := a.handlers[u.name]; taken {
		panic(fmt.Sprintf("actor: the command %q is handled already", u.name))
	}
	a.handlers[u.name] = &handler{usage: u, help: help, run: run}
}

// Run serves until the context ends. Then it takes no more commands, cancels
// those that run, and gives them five seconds to say their last word. An actor
// runs once. The error is nil, or the link's if it is set to fail fast.
func (a *Actor) Run(ctx context.Context) error {
	base, cancel := context.WithCancel(ctx)
	defer cancel()
	a.base = base
	linkCtx, closeLink := context.WithCancel(context.WithoutCancel(ctx))
	defer closeLink()
	linkErr := make(chan error, 1)
	go func() {
		err := a.link.Run(linkCtx)
		a.linked.end()
		linkErr <- err
	}()

	select {
	case err := <-linkErr:
		a.running.stop()
		return err
	case <-ctx.Done():
	}
	a.running.stop()
	a.awaitCommands()
	closeLink()
	return <-linkErr
}

// awaitCommands waits for the handlers, but not for one that does not listen.
func (a *Actor) awaitCommands() {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.running.tasks.Wait()
	}()
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-ended:
	case <-grace.C:
		a.log.Error("commands do not end although their context has; leaving them", "after", stopGrace)
	}
}

// Ready waits until the actor is linked to the broker and hears commands.
func (a *Actor) Ready(ctx context.Context) error { return a.linked.wait(ctx) }

// Broadcast tells everyone, without a command. It is lost while the broker is
// away.
func (a *Actor) Broadcast(code Code, k Keywords) {
	a.out.send(Reply{Code: code, Sender: a.name, Body: k.body(), Time: time.Now()})
}

// LostReplies is how many replies could not be published so far.
func (a *Actor) LostReplies() uint64 { return a.out.lostReplies() }
