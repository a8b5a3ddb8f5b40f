package simulation

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge/hub"
)

const (
	bridgeName = "bridge"
	exchange   = "sdss_exchange"
	// faultsFor is how long faults are injected.
	faultsFor = 40 * time.Second
	// healsWithin is how long the link may take to come up after the last fault. A silent
	// connection takes longest: three heartbeats.
	healsWithin = 90 * time.Second
)

// world is one run of the simulation.
type world struct {
	t       *testing.T
	verbose bool // the trace has every message
	seed    uint64
	rng     source // of the world itself
	began   time.Time
	running sync.WaitGroup

	net     *network
	link    *amqpx.Link
	hub     *hub.Hub
	actors  *actors
	clients []*client
	slow    string // what happens to clients that read too slowly: skip or close
	history int    // how many replies and gaps are kept

	mu         sync.Mutex // guards the following fields
	busyUntil  time.Time  // the receiver of replies takes none before this time
	broker     *broker.Broker
	states     []stateAt
	replies    []*reply               // in the order in which the broker routed them
	byID       map[string]*reply      // every reply that was published
	linkEvents []linkEvent            // deliveries and gaps of the link, in order
	told       map[string]toldCommand // the commands of everybody, at the end
	numbered   []*reply               // by their numbers in the hub, from 1 on
	commands   []*command
	trace      []event
	faults     int
	failures   []string
}

// linkEvent is a reply that the link delivered, or a gap that it reported.
type linkEvent struct {
	at    time.Time
	reply *reply
	gap   *amqpx.Gap
	seq   uint64 // of the last reply before the gap
}

type stateAt struct {
	at time.Time
	amqpx.State
}

type event struct {
	at   time.Duration
	what string
	args []any
}

// source returns a source of randomness for a part of the world.
func (w *world) source(part string, number int) source {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d", part, number)
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

// note appends to the trace.
func (w *world) note(what string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, event{time.Since(w.began), what, args})
}

// fail records a violation.
func (w *world) fail(format string, args ...any) {
	w.note("VIOLATION: "+format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = append(w.failures, fmt.Sprintf(format, args...))
}

func newWorld(t *testing.T, seed uint64, logs io.Writer) *world {
	w := &world{t: t, seed: seed, verbose: logs != nil, began: time.Now(), byID: map[string]*reply{}}
	w.rng = w.source("world", 0)
	w.broker = newBroker()
	w.net = &network{w: w, dial: func() (net.Conn, error) { return w.currentBroker().Dial("", "") }}
	w.slow = [...]string{"close", "skip"}[w.rng.IntN(2)]
	logger := slog.New(slog.DiscardHandler)
	if logs != nil {
		logger = slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	w.history = [...]int{30, 2000}[w.rng.IntN(2)]
	history := hub.History{Replies: w.history}
	history.SetDefaults()
	w.hub = hub.New(hub.Config{Name: bridgeName, Epoch: "epoch", Views: true, History: history, NewLog: func() hub.Log { return newLog() }})
	var err error
	w.link, err = amqpx.New(amqpx.Config{
		URLs:     w.urls(),
		Name:     bridgeName,
		Exchange: exchange,
		Queues: []amqpx.Queue{{
			Name:       repliesQueue,
			Bindings:   []string{"reply.#"},
			Deliver:    w.deliver,
			OnGap:      w.missed,
			CanDeliver: w.ready(),
		}},
		Prefetch:    [...]int{8, 200}[w.rng.IntN(2)],
		MaxInFlight: [...]int{4, 256}[w.rng.IntN(2)],
		MaxPending:  [...]int{16, 1024}[w.rng.IntN(2)],
		CheckQueues: w.rng.IntN(2) == 0,
		Heartbeat:   time.Duration(2+w.rng.IntN(9)) * time.Second,
		Dial:        w.net.connect,
		Jitter:      w.jitter(),
		OnState:     w.linkChanged,
		Logger:      logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// jitter returns [amqpx.Config.Jitter] with a source of its own.
func (w *world) jitter() func(time.Duration) time.Duration {
	var mu sync.Mutex
	rng := w.source("jitter", 0)
	return func(d time.Duration) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(rng.Int64N(int64(d)))
	}
}

// pass waits in virtual time.
func pass(d time.Duration) { <-time.After(d) }

func newBroker() *broker.Broker {
	return broker.New(broker.Config{MaxBytes: brokerBytes, Heartbeat: 5 * time.Second})
}

func (w *world) currentBroker() *broker.Broker {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broker
}

// urls returns one or two addresses of the same broker.
func (w *world) urls() []string {
	all := []string{"amqp://guest:guest@one/", "amqp://guest:guest@two/"}
	return all[:1+w.rng.IntN(2)]
}

// ready returns [amqpx.Queue.CanDeliver]: always true, or nil.
func (w *world) ready() func() bool {
	if w.rng.IntN(2) == 0 {
		return nil
	}
	return func() bool { return true }
}

// run runs the world from beginning to end.
func (w *world) run(ctx context.Context) {
	ctx, unlink := context.WithCancel(ctx)
	var linking sync.WaitGroup
	w.actors = newActors(w)
	w.actors.join(w.broker)
	linking.Go(func() {
		if err := w.link.Run(ctx); err != nil {
			w.fail("Run ended with %v", err)
		}
	})
	w.actors.start()
	for i := range 3 + w.rng.IntN(4) {
		w.clients = append(w.clients, newClient(w, i))
	}
	var using sync.WaitGroup
	ending := make(chan struct{})
	for _, c := range w.clients {
		using.Go(func() { c.use(ending) })
	}
	w.injectFaults()
	w.heal()
	close(ending)
	using.Wait()
	w.actors.stop()
	pass(2 * time.Second) // the last replies arrive
	w.told = w.askForCommands()
	unlink()
	linking.Wait()
	for _, c := range w.clients {
		c.hangUp()
	}
	w.hub.Close()
	w.actors.leave()
	_ = w.currentBroker().Close()
	w.net.endAll()
	w.running.Wait()
}

// heal ends all faults and waits until the link is up.
func (w *world) heal() {
	w.note("no more faults")
	w.net.refuse(time.Time{}, time.Time{})
	for _, p := range w.net.open() {
		p.up.stallUntil(time.Time{})
		p.down.stallUntil(time.Time{})
	}
	by := time.Now().Add(healsWithin)
	for stable := 0; stable < 30; pass(100 * time.Millisecond) {
		if s := w.link.State(); s.Up && s.Blocked == "" && s.QueueDown == "" && !w.net.isSilent() {
			stable++
		} else {
			stable = 0
		}
		if time.Now().After(by) {
			w.fail("the link is not up %v after the last fault: %+v", healsWithin, w.link.State())
			return
		}
	}
	w.note("healed")
}

// check compares everything that was recorded with the models.
func (w *world) check() {
	w.checkLinkEvents()
	w.checkCommands()
	for _, c := range w.clients {
		c.check()
	}
}

// traceText returns the trace as text.
func (w *world) traceText() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, e := range w.trace {
		fmt.Fprintf(&b, "%13.6f  %s\n", e.at.Seconds(), fmt.Sprintf(e.what, e.args...))
	}
	return b.String()
}

func (w *world) broken() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.failures)
}
