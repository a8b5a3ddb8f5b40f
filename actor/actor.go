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
	// defaultActorCommands is how many commands run at once by default.
	defaultActorCommands = 256
	// stopGrace is how long running commands have to end when the actor stops.
	stopGrace = 5 * time.Second
)

// Actor serves commands as CLU's actors do. Handlers are added before
// [Actor.Run]; its other methods may be called from any goroutine.
type Actor struct {
	name, version string
	schema        *schema
	handlers      map[string]*handler
	link          *amqpx.Link
	encoder       *encoder
	publisher     *publisher
	limiter       limiter
	log           *slog.Logger
	base          context.Context // of the handlers; set by Run
}

// New returns an actor with CLU's own commands: ping, version, help, get_schema,
// get-command-model and keyword. Nothing is dialled before [Actor.Run].
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
		name:      cfg.Name,
		version:   cmp.Or(cfg.Version, "?"),
		schema:    model,
		handlers:  make(map[string]*handler),
		encoder:   newEncoder(log),
		publisher: newPublisher(log, cfg.Link.MaxPending),
		limiter:   limiter{limit: cmp.Or(cfg.MaxCommands, defaultActorCommands)},
		log:       log,
	}
	link := cfg.link(
		amqpx.Queue{Name: CommandsQueue(a.name), Bindings: []string{"command." + a.name + ".#"}, Deliver: a.receive},
		// Every CLU actor has this queue. It reserves the name, and keeps replies without another
		// receiver from being returned as unroutable.
		amqpx.Queue{Name: RepliesQueue(a.name), Bindings: []string{"reply.#"}, Deliver: deliverReplies(cfg.OnReply)},
	)
	link.Logger = log
	if a.link, err = amqpx.New(link); err != nil {
		return nil, err
	}
	a.publisher.link, a.encoder.nan = a.link, cfg.PythonNaN
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

// handler is one command: its usage and its function.
type handler struct {
	usage usage
	help  help
	run   func(context.Context, *Call) error
}

// Handle adds a command. The usage line is the command's name, its arguments and
// its options, as in
//
//	slew RA DEC
//	expose SECONDS [KIND] [--fast] [--exposures N] --shutter STATE
//	say TEXT...
//
// Parts in brackets are optional. An option takes one value or, without a value in the
// usage line, is a flag. A value may have a type, after a colon, and a default, after an equals
// sign if it is optional:
//
//	rotate AZ:float(0..<360) [--speed RATE:float(0<..)=6]
//	expose SECONDS:float(0..3600) [KIND:light|dark|flat=light] [--count N:int(1..)]
//
// The types are float, int, text and choices; the bounds of a range belong to it unless a < stands
// beside the dots. A command string that does not match fails in the words of click, CLU's parser,
// before the handler is called.
//
// The first sentence of the help text is shown in the list of commands. A line of it that begins
// with an option, or with an argument and two spaces, describes it. A unit stands in brackets at
// the end of the description, for people and for programs:
//
//	AZ       Azimuth of the opening, from north through east. [deg]
//	--speed  How fast to rotate. [deg/s]
//
// All of this is also in the answer to get-command-model, from which pages make forms.
//
// The handler runs in its own goroutine. If it returns an error, the command fails with
// that text; if it returns nil and has not ended the command, the command is done. Its
// context ends when the actor stops, but not when the broker goes away.
//
// Handle must not be called once the actor runs. It panics if the usage line cannot be
// parsed, the name is taken or run is nil, which are programming errors.
func (a *Actor) Handle(usage, help string, run func(context.Context, *Call) error) {
	u, err := parseUsage(usage)
	if err != nil {
		panic("actor: " + err.Error())
	}
	if _, taken := a.handlers[u.name]; taken {
		panic(fmt.Sprintf("actor: the command %q has a handler already", u.name))
	}
	if run == nil {
		panic(fmt.Sprintf("actor: the handler of the command %q is nil", u.name))
	}
	a.handlers[u.name] = &handler{usage: u, help: parseHelp(help, &u), run: run}
}

// Run serves commands until the context ends. Then it accepts no more, cancels those that
// run, and gives them five seconds to end. An actor runs once. The error is nil, or the
// link's if that is configured to fail fast.
func (a *Actor) Run(ctx context.Context) error {
	base, cancel := context.WithCancel(ctx)
	defer cancel()
	a.base = base
	linkCtx, closeLink := context.WithCancel(context.WithoutCancel(ctx))
	defer closeLink()
	linkErr := make(chan error, 1)
	go func() {
		linkErr <- a.link.Run(linkCtx)
	}()

	select {
	case err := <-linkErr:
		a.limiter.stop()
		return err
	case <-ctx.Done():
	}
	a.limiter.stop()
	a.waitForCommands()
	closeLink()
	return <-linkErr
}

// waitForCommands waits for the handlers, up to stopGrace.
func (a *Actor) waitForCommands() {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.limiter.wait()
	}()
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-ended:
	case <-grace.C:
		a.log.Error("commands still run although their context has ended; the actor stops without them", "after", stopGrace)
	}
}

// Ready waits until the actor is linked to the broker and receives commands. The error is
// [amqpx.ErrClosed] if the actor has ended, or the context's, with the reason why the link
// is down.
func (a *Actor) Ready(ctx context.Context) error { return a.link.Ready(ctx) }

// Broadcast publishes a reply that answers no command. It is lost while there is
// no link to the broker.
func (a *Actor) Broadcast(code Code, k Keywords) {
	body, _ := a.encoder.encode(k) // encode has logged what cannot be written
	a.publisher.send(Reply{Code: code, Sender: a.name, Body: body, Time: time.Now()})
}

// LostReplies returns how many replies could not be published so far.
func (a *Actor) LostReplies() uint64 { return a.publisher.lostReplies() }
