//go:build unix

package soak

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/conformance"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Config describes a run.
type Config struct {
	For     time.Duration                  // it ends with the first check after this time
	Seed    uint64                         // of everything that is drawn
	Only    []string                       // these faults, once each; none: all of them, as long as there is time
	Without []string                       // these faults do not happen
	Program func(args ...string) *exec.Cmd // clu-ws
	Clients map[string]*conformance.Driver // by name, which has no hyphen
	Report  string                         // the file of the report; "" writes none
	Out     io.Writer                      // has a line every ten seconds, and the verdict
}

const (
	perSecond   = 50                     // broadcasts
	sendsEvery  = 300 * time.Millisecond // each client a command
	outageEnds  = 3 * time.Minute        // the longest that anything may take on a busy machine
	perCheck    = 4                      // faults
	printsEvery = 10 * time.Second
	standsStill = 500 * time.Millisecond // this process, if it does nothing for so long
)

// run is a run.
type run struct {
	t        testing.TB
	cfg      Config
	began    time.Time
	rng      *rand.Rand
	node     *testkit.Node
	weather  *testkit.Source
	dome     *dome
	bridges  []*bridgeProcess // A, and B, which lives as long as the run
	clients  []*client
	counters []*counter
	gone     *testkit.ChaosProxy // of clients that vanish
	samples  []sample
	lossy    bool // the broker may have lost replies since the last check
	anew     int  // how many broadcasts there were when the stream was last made anew; 0 if it never was
	starts   int  // of bridge A, until then
	checks   int
	faults   map[string]int

	mu        sync.Mutex // guards the following fields
	known     map[string]bool
	wrong     []string
	disturbed []span    // when the broker was late, or this process stood still
	lastAlive time.Time // when this process ran last
	silent    bool      // clients send no commands
	doing     string
	past      []string // what was done before
}

// Run runs until the time is over, a signal comes (SIGINT, SIGTERM), or something is wrong, and fails the test with all that is.
func Run(t testing.TB, cfg Config) {
	t.Helper()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := &run{t: t, cfg: cfg, began: time.Now(), rng: rand.New(rand.NewPCG(cfg.Seed, 3)), faults: map[string]int{}, known: map[string]bool{}}
	defer r.report()
	r.start()
	var aside sync.WaitGroup
	defer aside.Wait()
	over, end := context.WithCancel(context.Background())
	defer end()
	aside.Go(func() { r.sendCommands(over) })
	aside.Go(func() { r.print(over) })
	aside.Go(func() { r.watch(over) })
	r.check()
	for faults := r.deck(); ctx.Err() == nil && len(r.violations()) == 0; {
		if len(faults) == 0 {
			if len(cfg.Only) > 0 {
				break
			}
			faults = r.deck()
		}
		if time.Since(r.began) > cfg.For {
			break
		}
		n := min(perCheck, len(faults))
		for _, f := range faults[:n] {
			if ctx.Err() == nil {
				r.happen(ctx, f)
			}
		}
		faults = faults[n:]
		r.check()
	}
}

// start starts all that takes part.
func (r *run) start() {
	r.t.Helper()
	r.node = testkit.StartRabbitMQ(r.t)
	url := r.node.URL()
	r.dome = startDome(r.t, url, r.got)
	for _, name := range []string{"A", "B"} {
		r.bridges = append(r.bridges, newBridge(r.t, r.cfg.Program, name, url, r.violate))
	}
	var clients []*client
	for i, name := range sortedKeys(r.cfg.Clients) {
		clients = append(clients, newClient(r.t, name, r.cfg.Clients[name], r.bridges[0].addr, r.cfg.Seed+uint64(i)))
	}
	r.mu.Lock()
	r.clients = clients
	r.mu.Unlock()
	for range 3 {
		r.counters = append(r.counters, startCounter(r.t, r.bridges[1].addr))
	}
	r.weather = testkit.StartSourceOf(r.t, url, perSecond, broadcast)
}

func sortedKeys[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// violate notes what is wrong, once.
func (r *run) violate(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[text] {
		return
	}
	r.known[text] = true
	r.wrong = append(r.wrong, text)
	fmt.Fprintf(r.cfg.Out, "%s WRONG %s\n", r.at(), text)
}

func (r *run) violations() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.wrong)
}

// at is the time of the run.
func (r *run) at() string { return time.Since(r.began).Round(time.Second).String() }

// got notes a command that the actor got.
func (r *run) got(id string, at time.Time) {
	r.mu.Lock()
	r.alive() // if it stood still until now, this command may have waited
	clients, disturbed := r.clients, slices.Clone(r.disturbed)
	r.mu.Unlock()
	c, as := owner(clients, id)
	if c == nil {
		r.violate("the actor got the command %s of nobody", id)
		return
	}
	c.got(as, at, disturbed)
}

// disturb notes that the broker is late from now on, until the function that it returns is called.
func (r *run) disturb() (over func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.disturbed)
	r.disturbed = append(r.disturbed, span{from: time.Now()})
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.disturbed[n].to = time.Now()
	}
}

// watch notes when this process stands still, until the context ends.
func (r *run) watch(ctx context.Context) {
	every := time.NewTicker(standsStill / 5)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
		r.mu.Lock()
		r.alive()
		r.mu.Unlock()
	}
}

// alive notes that this process runs, and whether it stood still before. It is called with mu held.
func (r *run) alive() {
	now := time.Now()
	if !r.lastAlive.IsZero() && now.Sub(r.lastAlive) > standsStill {
		r.disturbed = append(r.disturbed, span{from: r.lastAlive, to: now})
	}
	r.lastAlive = now
}

// sendCommands makes the clients command until the context ends.
func (r *run) sendCommands(ctx context.Context) {
	every := time.NewTicker(sendsEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
		r.mu.Lock()
		silent := r.silent
		r.mu.Unlock()
		if silent {
			continue
		}
		for _, c := range r.clients {
			if err := c.send(); err != nil {
				r.violate("%s: %v", c.name, err)
			}
		}
	}
}

// silence makes weather and the clients say nothing, or go on.
func (r *run) silence(on bool) {
	r.weather.Pause(on)
	r.mu.Lock()
	r.silent = on
	r.mu.Unlock()
}

// await waits until nothing is missing, and reports whether that came.
func (r *run) await(what string, missing func() string) bool {
	over := time.Now().Add(outageEnds)
	for {
		rest := missing()
		if rest == "" {
			return true
		}
		if time.Now().After(over) {
			r.violate("after %v: %s: %s", outageEnds, what, rest)
			return false
		}
		r.pass(context.Background(), 50*time.Millisecond)
	}
}

// pass lets time pass.
func (r *run) pass(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
