package bridge

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/history"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/model"
	"github.com/clu-ws/clu-ws/bridge/problem"
	"github.com/clu-ws/clu-ws/bridge/quota"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/limitedlog"
)

// Bridge relays replies to WebSocket clients, and their commands to actors.
type Bridge struct {
	cfg        Config
	log        *slog.Logger
	randomName bool // the configuration has no name

	engine   *engine.Engine
	hub      *hub.Hub
	models   *model.Models // what actors tell of themselves
	rooms    *rooms.Rooms
	sequence *rooms.Sequencer // of the messages for rooms
	resuming *rooms.Resuming  // clients of rooms that get what they missed
	problems *problem.Tracker
	noting   problem.Reply             // the reply that is being delivered; the memory is reused
	site     atomic.Pointer[site.Site] // what the operator configured about the observatory
	metrics  *metrics
	policy   atomic.Pointer[policies]
	access   *accessControl // nil without access control
	requests requestHandlers
	// keywordHistory is what keywords were; nil if that is not kept.
	keywordHistory *history.Store
	refill         refill
	usages         *quota.Usages        // what each principal takes
	asking         chan struct{}        // a place for each request that an application decides
	paused         func() time.Duration // length of a pause of the process that has just ended, see [engine.Engine.Paused]

	link         *amqpx.Link
	sourceLinks  []*sourceLink
	dialects     []*mountedDialect
	dialectLinks []*amqpx.Link // by which dialects publish
	web          http.Handler  // the requests that are not upgrades
	stopAsked    chan struct{} // a dialect asks for the drain
	presence     *presence     // nil if it is not configured
	consumers    *consumers

	clientCount    atomic.Uint64 // of all clients so far
	pendingReturns pendingReturns
	failureRate    *failureRate
	commandLog     *commandLog

	// Faults, which are counted and logged at a limited rate.
	replyDrops   *limitedlog.Log // messages that are not replies
	roomDrops    *limitedlog.Log // messages for rooms that cannot be decompressed
	failures     *limitedlog.Log // commands and messages that were not delivered
	refusals     *limitedlog.Log // refused requests
	badAcks      *limitedlog.Log // acknowledgements that are not understood
	badForwarded *limitedlog.Log // requests of trusted proxies that name no client

	warnedName sync.Once // that a random name can be granted no permissions

	untrustedProxy sync.Once // a warning of one

	drainAs    atomic.Pointer[Drain]
	drainEnd   time.Time   // when the drain must be over; used by Run alone
	reloading  sync.Mutex  // held by Reload
	draining   atomic.Bool // it is to stop: /readyz says so
	leaving    atomic.Bool // clients are being closed
	stopOnce   sync.Once
	stopping   chan struct{}      // closed when the last clients are closed
	running    context.Context    // ends with stopping; then nothing waits for the engine any longer
	endRunning context.CancelFunc // ends it
}

// New returns a bridge. It starts nothing but the engine's idle loops: [Bridge.Listen] serves
// clients, and [Bridge.Run] dials the broker. A bridge that is not run must be closed.
func New(cfg Config) (*Bridge, error) {
	randomName := cfg.Name == ""
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	b := &Bridge{
		cfg:          cfg,
		log:          cfg.Logger,
		randomName:   randomName,
		requests:     newRequestHandlers(),
		usages:       quota.NewUsages(cfg.now),
		asking:       make(chan struct{}, maxAsking),
		failureRate:  newFailureRate(),
		replyDrops:   limitedlog.New(cfg.Logger, "dropped a message that is no reply"),
		roomDrops:    limitedlog.New(cfg.Logger, "dropped a message for rooms"),
		failures:     limitedlog.New(cfg.Logger, "a command failed"),
		refusals:     limitedlog.New(cfg.Logger, "a request was refused"),
		badAcks:      limitedlog.New(cfg.Logger, "dropped an acknowledgement of problems"),
		badForwarded: limitedlog.New(cfg.Logger, "a trusted proxy names no client"),
		stopping:     make(chan struct{}),
		stopAsked:    make(chan struct{}, 1),
		refill:       refill{live: make(chan struct{})},
	}
	b.running, b.endRunning = context.WithCancel(context.Background())
	b.commandLog = newCommandLog(cfg.Logger, cfg.LogCommands)
	b.drainAs.Store(&b.cfg.Drain)
	b.metrics = newMetrics(b)
	// The engine is the last step that may fail, so nothing has to be undone.
	for _, build := range []func() error{b.newPolicies, b.newSite, b.newLink, b.newSourceLinks, b.newPresence, b.newEngine} {
		if err := build(); err != nil {
			b.endRunning()
			return nil, err
		}
	}
	b.newKeywordHistory()
	b.newHub()
	b.newProblems()
	b.consumers = newConsumers(b)
	b.consumers.OnChange(func(actor string, present bool) {
		if !present {
			b.hub.ActorGone(actor)
		}
	})
	b.newModels()
	b.access = newAccessControl(&b.cfg)
	if err := b.newDialects(); err != nil {
		_ = b.Close() // its idle loops
		return nil, err
	}
	routes := b.clientRoutes(b.cfg.Page)
	if routes.wrong != nil {
		_ = b.Close()
		return nil, routes.wrong
	}
	b.web = b.guardClients(routes)
	b.warnOfName()
	return b, nil
}

func (b *Bridge) newEngine() (err error) {
	cfg := engine.Config{
		Handler:     handler{b},
		ClientAddr:  b.clientAddr,
		HTTP:        http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.web.ServeHTTP(w, r) }),
		Loops:       b.cfg.Loops,
		Portable:    b.cfg.PortablePoller,
		Compress:    b.cfg.Compress,
		Limits:      b.cfg.Limits,
		Rejected:    b.noteRefusal,
		Exempt:      func(addr netip.Addr) bool { return b.policies().proxies.Trusts(addr) },
		Vital:       isHealthCheck,
		ProxyAdvice: "start the bridge with --proxy-protocol, or --listen proxy:host:port, if a proxy sends it",
		Logger:      b.cfg.Logger,
	}
	if b.cfg.SkipSlow {
		cfg.Skip = b.skipped
	}
	if b.engine, err = engine.New(cfg); err != nil {
		return err
	}
	b.paused = b.engine.Paused
	return nil
}

// newHub makes the hub and the rooms, which use the engine's logs.
func (b *Bridge) newHub() {
	b.hub = hub.New(hub.Config{
		Name:    b.cfg.Name,
		Epoch:   b.cfg.epoch(),
		Shared:  b.cfg.Durable.Stream != nil,
		Batch:   b.cfg.Batch,
		History: b.cfg.History,
		Values:  b.cfg.Values,
		NewLog:  func() hub.Log { return b.engine.NewLog() },
		Views:   b.cfg.Access != nil,
		Observe: b.observers(),
		Older:   b.olderReader(),
		Now:     b.cfg.now,
		After:   b.cfg.after,
	})
	b.rooms = rooms.New(b.engine.NewLog)
	b.sequence = rooms.NewSequencer(func(m *rooms.Message) {
		b.resuming.Deliver(m)
		b.hub.Broadcast(m.Path, m.Frame)
		b.rooms.Deliver(m.Path, m.Frame)
		b.deliverToDialects(m)
		m.Frame = nil // the message may be kept
	}, b.cfg.after)
	b.resuming = rooms.NewResuming(b.sequence, b.engine.NewLog, hub.NewEpoch(), b.cfg.RoomHistory)
}

// Name returns the bridge's name as a CLU client.
func (b *Bridge) Name() string { return b.cfg.Name }

// Listen serves the clients that connect to a listener, and returns at once. Clients are served
// even while the broker cannot be reached.
func (b *Bridge) Listen(ln net.Listener) error { return b.ListenWith(ln, ListenOptions{}) }

// Ready waits until the bridge is linked to the broker. It fails if the context ends first.
func (b *Bridge) Ready(ctx context.Context) error { return b.link.Ready(ctx) }

// Clients returns how many WebSocket clients are connected.
func (b *Bridge) Clients() int { return b.engine.Stats().Connections }

// Run relays replies and commands until the context ends. Then it drains: it closes the clients
// as [Drain] says, and waits for what was published to be confirmed. With FailFast, Run fails
// if the broker cannot be reached at the start. Run must be called at most once.
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
	if b.refill.past != nil {
		linking.Go(func() { b.refillHistory(linkCtx) })
	}
	b.runSourceLinks(linkCtx, &linking)
	b.runDialects(linkCtx, &linking)
	b.access.run(linkCtx, &linking)
	b.presence.run(linkCtx, &linking)
	linking.Go(func() { b.consumers.run(linkCtx) })
	select {
	case <-ctx.Done():
		b.serveOn()
	case <-b.stopAsked:
		b.serveOn()
	case <-linkEnded: // no result can come any more
	}
	err := b.drain()
	unlink()
	linking.Wait()
	for _, log := range []*limitedlog.Log{b.replyDrops, b.roomDrops, b.failures, b.refusals, b.badAcks, b.badForwarded} {
		log.End()
	}
	b.commandLog.end()
	return errors.Join(linkErr, err)
}

// Close closes the clients of a bridge that does not run, and stops serving.
func (b *Bridge) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	return b.shutdown(ctx)
}
