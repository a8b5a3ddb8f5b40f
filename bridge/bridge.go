package bridge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/forwarded"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/origin"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// Config says between what a [Bridge] stands, and how it behaves.
type Config struct {
	// Name is the bridge's name as a CLU client. "" makes one as CLU does.
	Name string
	// Exchange is the actors' exchange. "" is [actor.Exchange].
	Exchange string
	// Broker holds the broker's addresses, tried in turn.
	Broker []string
	// TLS is used towards the broker for amqps addresses.
	TLS *tls.Config
	// Dial replaces the network towards the broker, for an embedded one.
	Dial func(network, addr string) (net.Conn, error)
	// ProbeAfter is how long the broker may bring no reply before the bridge checks that
	// one would arrive, as [amqpx.Config] has it.
	ProbeAfter time.Duration
	// FailFast ends Run when the broker cannot be reached at the start.
	FailFast bool
	// Version is the program's, for clients and metrics that ask.
	Version string
	// Durable says what becomes of replies while the link is down.
	Durable Durable
	// History bounds the memory of the past.
	History hub.History
	// Values bounds the memory of the last value of every keyword.
	Values snapshot.Limits
	// Drain says how the bridge ends.
	Drain Drain
	// Envelope says how replies are written.
	Envelope actor.Envelope
	// Strict ignores bad input in silence, as CLU does.
	Strict bool
	// Page is served on the same port to those who do not ask for WebSocket.
	Page http.Handler
	// Limits bound what clients may take.
	Limits engine.Limits
	// Batch is how long a reply to plain clients may wait for others, up to a second:
	// they leave in one write. A reply that ends a command, or tells of an error, takes
	// those that wait with it at once. v1 clients say it themselves (batch_ms).
	Batch time.Duration
	// SkipSlow lets a client that reads too slowly go on with what is newest,
	// behind an error envelope that says how much it misses. Else it is closed.
	SkipSlow bool
	// Loops is how many loops share the clients. 0 is one for each processor.
	Loops int
	// PortablePoller serves as on systems without epoll. It is for tests.
	PortablePoller bool
	// Compress lets clients negotiate permessage-deflate. A reply is then compressed
	// once for all of them.
	Compress bool
	// CheckConsumers fails a command as one for nobody when no actor's queue exists
	// for its consumer, although somebody else hears it: a tap that is bound to
	// command.#, say. It goes by the names of CLU's queues, <actor>_commands: an actor
	// whose queue has another name is taken to be absent.
	CheckConsumers bool
	// Sources are exchanges whose messages go to rooms.
	Sources []rooms.Source
	// Presence is a topic exchange on which the bridge tells which clients connect
	// and leave. "" tells nobody.
	Presence string
	// ListClients lets v1 clients ask who is connected.
	ListClients bool
	// LogCommands writes a line to the log for each command: consumer, id, client,
	// first word and outcome.
	LogCommands bool
	// Origins are the origins of web pages that may use the bridge, such as
	// https://console.example, "null", and "*" for all. If it is empty the listener
	// decides (bridge/origin).
	Origins []string
	// AdminHost is the host name in the admin address, if any: requests may have it in
	// Host.
	AdminHost string
	// TrustedProxies are networks and addresses of proxies that may name the client of
	// a request, and "unix" for the peers of Unix sockets.
	TrustedProxies []string
	// CommandLine is the program's command line without secrets, for the admin.
	CommandLine []string
	// OnLink is told of every change of the link to the broker.
	OnLink func(amqpx.State)
	// Logger gets what an operator must know. nil is [slog.Default].
	Logger *slog.Logger

	// The hub's clock, set by tests.
	now   func() time.Time
	after func(time.Duration, func()) (stop func() bool)
}

// Bridge relays replies to WebSocket clients and their commands to actors.
type Bridge struct {
	cfg          Config
	log          *slog.Logger
	link         *amqpx.Link
	sourceLinks  []*sourceLink // of the rooms
	rooms        *rooms.Rooms
	engine       *engine.Engine
	hub          *hub.Hub
	metrics      *metrics
	handlers     map[string]requestHandler
	handlerNames []string
	replyDrops   *limitedLog          // messages that are no replies
	roomDrops    *limitedLog          // messages for rooms that cannot be unpacked
	failures     *limitedLog          // commands that were not delivered
	refusals     *limitedLog          // refused requests
	badForwarded *limitedLog          // requests of trusted proxies that name no client
	stalled      func() time.Duration // length of a stall that has just ended, see engine.Stalled
	origins      *origin.Policy
	proxies      *forwarded.Proxies // nil trusts none
	clientsEver  atomic.Uint64
	presence     *presence // nil without LogCommands
	draining     atomic.Bool
	stopOnce     sync.Once
	stopping     chan struct{}      // closed when the last clients are closed
	sources      context.Context    // ends with stopping: then no source waits for the engine
	endSources   context.CancelFunc // ends it

	pendingReturns pendingReturns
	failureRate    *failureRate
	commandLog     *commandLog // nil without LogCommands LogCommands
	randomName     bool        // none was given
	warnedName     sync.Once   // that it cannot be granted anything
}

// maxName leaves room for consumers in the routing key of replies, which is
// made of both and has 255 bytes.
const maxName = 100

// New makes a bridge. It serves once it was given a listener, and carries once
// it runs.
func New(cfg Config) (*Bridge, error) {
	randomName := cfg.Name == ""
	if randomName {
		cfg.Name = actor.NewClientName()
	}
	if len(cfg.Name) > maxName || !utf8.ValidString(cfg.Name) {
		return nil, fmt.Errorf("the bridge's name must be UTF-8 of at most %d bytes; choose another --name", maxName)
	}
	if cfg.Batch < 0 || cfg.Batch > hub.MaxBatch {
		return nil, fmt.Errorf("replies to plain clients cannot wait for %v; choose a --batch from 0 to %v", cfg.Batch, hub.MaxBatch)
	}
	if cfg.Exchange == "" {
		cfg.Exchange = actor.Exchange
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if err := cfg.checkSources(); err != nil {
		return nil, err
	}
	cfg.History.SetDefaults()
	cfg.Drain.setDefaults()
	b := &Bridge{
		cfg:          cfg,
		log:          cfg.Logger,
		replyDrops:   newLimitedLog(cfg.Logger, "dropped a message that is no reply"),
		roomDrops:    newLimitedLog(cfg.Logger, "dropped a message for rooms"),
		failures:     newLimitedLog(cfg.Logger, "a command failed"),
		refusals:     newLimitedLog(cfg.Logger, "a request was turned away"),
		badForwarded: newLimitedLog(cfg.Logger, "a trusted proxy names no client"),
		handlers:     requestHandlers(),
		stopping:     make(chan struct{}),

		randomName:  randomName,
		failureRate: newFailureRate(),
	}
	b.sources, b.endSources = context.WithCancel(context.Background())
	if cfg.LogCommands {
		b.commandLog = newCommandLog(cfg.Logger)
	}
	var err error
	if b.origins, err = origin.New(cfg.Origins); err != nil {
		return nil, err
	}
	if b.proxies, err = forwarded.Parse(cfg.TrustedProxies); err != nil {
		return nil, err
	}
	b.handlerNames = slices.Sorted(maps.Keys(b.handlers))
	b.metrics = newMetrics(b)
	replies, err := b.repliesQueue()
	if err != nil {
		return nil, err
	}
	b.link, err = amqpx.New(amqpx.Config{
		URLs:        cfg.Broker,
		TLS:         cfg.TLS,
		Name:        cfg.Name,
		Exchange:    cfg.Exchange,
		Queues:      []amqpx.Queue{replies},
		CheckQueues: cfg.CheckConsumers,
		Dial:        cfg.Dial,
		ProbeAfter:  cfg.ProbeAfter,
		OnState:     b.linkChanged,
		FailFast:    cfg.FailFast,
		Logger:      cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	if err := b.newSourceLinks(); err != nil {
		return nil, err
	}
	if err := b.newPresence(); err != nil {
		return nil, err
	}
	engineCfg := engine.Config{
		Handler:     b,
		HTTP:        b.routes(cfg.Page),
		Loops:       cfg.Loops,
		Portable:    cfg.PortablePoller,
		Compress:    cfg.Compress,
		Limits:      cfg.Limits,
		Rejected:    b.noteRefusal,
		Exempt:      b.proxies.Trusts,
		Vital:       isHealthCheck,
		ProxyAdvice: "start the bridge with --proxy-protocol, or --listen proxy:host:port, if a proxy sends it",
		Logger:      cfg.Logger,
	}
	if b.proxies != nil {
		engineCfg.ClientAddr = b.clientAddr
	}
	if cfg.SkipSlow {
		engineCfg.Skip = b.skipped
	}
	b.engine, err = engine.New(engineCfg)
	if err != nil {
		return nil, err
	}
	b.stalled = b.engine.Stalled
	b.hub = hub.New(hub.Config{
		Name:    cfg.Name,
		Epoch:   cfg.epoch(),
		Shared:  cfg.Durable.Stream != nil,
		Batch:   cfg.Batch,
		History: cfg.History,
		Values:  cfg.Values,
		NewLog:  func() hub.Log { return b.engine.NewLog() },
		Now:     cfg.now,
		After:   cfg.after,
	})
	b.rooms = rooms.New(b.engine.NewLog)
	b.warnOfName()
	return b, nil
}

// Name is the bridge's name as a CLU client.
func (b *Bridge) Name() string { return b.cfg.Name }

// Listen serves the clients that arrive at a listener. They are served before
// there is a broker, and when it goes away.
func (b *Bridge) Listen(ln net.Listener) error { return b.ListenWith(ln, ListenOptions{}) }

// Clients is how many WebSocket clients are connected.
func (b *Bridge) Clients() int { return b.engine.Stats().Connections }

// Run carries replies and commands until the context ends. Then it says goodbye
// to the clients and finishes what was published. The error is nil, or why the
// broker could not be reached at the start if that ends the run.
func (b *Bridge) Run(ctx context.Context) error {
	linkCtx, unlink := context.WithCancel(context.WithoutCancel(ctx))
	defer unlink()
	var linkErr error
	linkEnded := make(chan struct{})
	var linking sync.WaitGroup
	linking.Go(func() {
		defer close(linkEnded)
		linkErr = b.link.Run(linkCtx)
	})
	b.runSourceLinks(linkCtx, &linking)
	b.presence.run(linkCtx, &linking)
	select {
	case <-ctx.Done():
	case <-linkEnded:
	}
	err := b.drain()
	unlink()
	linking.Wait()
	b.replyDrops.end()
	b.roomDrops.end()
	b.failures.end()
	b.commandLog.end()
	b.refusals.end()
	b.badForwarded.end()
	return errors.Join(linkErr, err)
}

// Close says goodbye to the clients of a bridge that does not run, and stops
// serving.
func (b *Bridge) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	return b.shutdown(ctx)
}
