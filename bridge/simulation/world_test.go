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
	// troubled is how long faults happen.
	troubled = 40 * time.Second
	// healsWithin is how long the link may take to be up again once no fault is left. The
	// longest is a connection that went silent: three heartbeats.
	healsWithin = 90 * time.Second
)

// world is one run.
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
	slow    string // what becomes of clients that read too slowly: skip or close
	history int    // how many replies and gaps are kept

	mu       sync.Mutex // guards the following fields
	broker   *broker.Broker
	states   []stateAt
	replies  []*reply          // in the order in which the broker routed them
	byID     map[string]*reply // all that were ever published
	arrivals []arrival         // what the link delivered, or told to be missing
	numbered []*reply          // what the hub has, from 1 on
	commands []*command
	blind    []span // times in which a loss need not be told
	trace    []event
	faults   int
	failures []string
}

// arrival is a reply that the link delivered, or a gap.
type arrival struct {
	at    time.Time
	reply *reply
	gap   *amqpx.Gap
	seq   uint64 // of the last reply before the gap
}

type stateAt struct {
	at time.Time
	amqpx.State
}

type span struct{ from, to time.Time }

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

// note adds a line to the trace.
func (w *world) note(what string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, event{time.Since(w.began), what, args})
}

// fail notes a broken promise.
func (w *world) fail(format string, args ...any) {
	w.note("FAULT: "+format, args...)
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
	w.hub = hub.New(hub.Config{Name: bridgeName, Epoch: "epoch", History: history, NewLog: func() hub.Log { return newLog() }})
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

// jitter spreads the link's attempts.
func (w *world) jitter() func(time.Duration) time.Duration {
	var mu sync.Mutex
	rng := w.source("jitter", 0)
	return func(d time.Duration) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(rng.Int64N(int64(d)))
	}
}

func newBroker() *broker.Broker {
	return broker.New(broker.Config{MaxBytes: brokerBytes, Heartbeat: 5 * time.Second})
}

func (w *world) currentBroker() *broker.Broker {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broker
}

// urls are one or two addresses of the same broker.
func (w *world) urls() []string {
	all := []string{"amqp://guest:guest@one/", "amqp://guest:guest@two/"}
	return all[:1+w.rng.IntN(2)]
}

// ready is [amqpx.Queue.CanDeliver] of a bridge that keeps pace, or of one that never says so.
func (w *world) ready() func() bool {
	if w.rng.IntN(2) == 0 {
		return nil
	}
	return func() bool { return true }
}

// run is one run from its beginning to its end.
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
	w.trouble()
	w.heal()
	close(ending)
	using.Wait()
	w.actors.stop()
	time.Sleep(2 * time.Second) // what was said has come by then
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

// heal waits until the link is up and everything has settled.
func (w *world) heal() {
	w.note("no more faults")
	w.net.refuse(time.Time{}, time.Time{})
	for _, p := range w.net.open() {
		p.up.stallUntil(time.Time{})
		p.down.stallUntil(time.Time{})
	}
	by := time.Now().Add(healsWithin)
	for stable := 0; stable < 30; time.Sleep(100 * time.Millisecond) {
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

// check holds all that was recorded against the models.
func (w *world) check() {
	w.checkArrivals()
	w.checkCommands()
	for _, c := range w.clients {
		c.check()
	}
}

// story is the trace as a text.
func (w *world) story() string {
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
