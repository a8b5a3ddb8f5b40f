package actor

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
)

const (
	// defaultActorCommands is how many commands run at once if the configuration
	// does not say.
	defaultActorCommands = 256
	// stopGrace is how long running commands have to end when the actor stops.
	stopGrace = 5 * time.Second
)

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

// New returns an actor with CLU's own commands: ping, version, help, get_schema
// and keyword. Nothing is dialled before [Actor.Run].
func New(cfg Config) (*Actor, error) {
	if err := checkName(cfg.Name); err != nil {
		return nil, err
	}
	model, err := newSchema(cfg.Schema)
	if err != nil {
		return nil, err
	}
	log := cfg.logger().With("actor", cfg.Name)
	a := &Actor{
		name:     cfg.Name,
		version:  cmp.Or(cfg.Version, "?"),
		schema:   model,
		handlers: make(map[string]*handler),
		linked:   newGate(),
		out:      newOutbound(log, cfg.Link.MaxPending),
		running:  running{limit: cmp.Or(cfg.MaxCommands, defaultActorCommands)},
		log:      log,
	}
	link := cfg.link(
		amqpx.Queue{Name: CommandsQueue(a.name), Bindings: []string{"command." + a.name + ".#"}, Deliver: a.receive},
		// Bound by every CLU actor: it reserves the name, and keeps replies that
		// no one else hears from coming back as unroutable.
		amqpx.Queue{Name: RepliesQueue(a.name), Bindings: []string{"reply.#"}, Deliver: deliverReplies(cfg.OnReply)},
	)
	link.Logger = log
	link.OnState = a.linked.follow(link.OnState)
	if a.link, err = amqpx.New(link); err != nil {
		return nil, err
	}
	a.out.link = a.link
	a.addBuiltins()
	return a, nil
}

// deliverReplies returns the consumer of an actor's replies queue.
func deliverReplies(onReply func(Reply)) func(*amqpx.Delivery) {
	if onReply == nil {
		return func(*amqpx.Delivery) {}
	}
	return func(d *amqpx.Delivery) {
		if r, err := ParseReply(d); err == nil {
			onReply(r)
		}
	}
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
