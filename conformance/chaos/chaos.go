package chaos

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/conformance"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// How much there is to lose.
const (
	perStep  = 100 // broadcasts
	perSend  = 20  // broadcasts for each command
	mostLead = 100 // broadcasts that the client may be behind
)

// silenceMS is after how long of silence a client asks for a sign of life, if its driver takes that.
const silenceMS = 1000

// Run lets a client go through the chaos of a seed. The driver stays open.
func Run(t *testing.T, d *conformance.Driver, seed uint64) {
	t.Helper()
	run(t, d, seed, serveBroker(t), false)
}

// RunOnStream is Run with RabbitMQ, where the bridge reads a stream: not even its restart loses anything.
func RunOnStream(t *testing.T, d *conformance.Driver, seed uint64) {
	t.Helper()
	run(t, d, seed, testkit.RabbitMQ(t).NewVHost(t), true)
}

// Drive runs a client that start starts through all that every client goes through, in parallel subtests.
func Drive(t *testing.T, start func(t *testing.T) *conformance.Driver) {
	for _, seed := range []uint64{1, 2, 3} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			Run(t, started(t, start), seed)
		})
	}
	t.Run("on a stream", func(t *testing.T) {
		t.Parallel()
		RunOnStream(t, started(t, start), 4)
	})
}

func started(t *testing.T, start func(t *testing.T) *conformance.Driver) *conformance.Driver {
	t.Helper()
	d := start(t)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// player plays a scenario.
type player struct {
	t        *testing.T
	d        *conformance.Driver
	j        *judge
	world    *world
	proxy    *testkit.ChaosProxy
	scenario scenario
}

func run(t *testing.T, d *conformance.Driver, seed uint64, url string, stream bool) {
	t.Helper()
	w := start(t, url, stream)
	j := newJudge(w)
	j.commands.LateEnds = !slices.Contains(d.Without, LateEnds)
	p := &player{t: t, d: d, j: j, world: w, proxy: testkit.StartChaosProxy(t, w.addr, seed), scenario: newScenario(seed)}
	defer func() {
		cuts, stalls := p.proxy.Faults()
		t.Logf("%s, seed %d: %d connections were cut, %d stalled; %s", d.Client, seed, cuts, stalls, p.j.summary())
		if t.Failed() {
			t.Logf("to repeat it: run the test again, which draws the same faults: %v", p.scenario.faults)
		}
	}()
	p.begin()
	for _, f := range p.scenario.faults {
		p.talk(perStep)
		p.fault(f)
		p.reached("after the fault "+string(f), w.said)
	}
	p.proxy.Calm()
	p.talk(1)
	p.reached("the last broadcast", w.said)
	p.end()
	if cuts, _ := p.proxy.Faults(); cuts < 2 {
		t.Errorf("%d connections were cut, which proves little", cuts)
	}
}

// begin makes the client, with its subscriptions.
func (p *player) begin() {
	p.t.Helper()
	p.call(conformance.Message{"call": "connect", "url": "ws://" + p.proxy.Addr + "/", "silence_ms": silenceMS})
	p.call(conformance.Message{"call": "subscribe", "as": all, "filter": conformance.Message{"sender": "weather"}, "snapshot": false})
	p.call(conformance.Message{"call": "subscribe", "as": even, "filter": conformance.Message{"keyword": "even"}, "snapshot": false})
	// A program that prints replies and nothing else shows by a reply that it hears them.
	p.j.before = math.MaxInt
	p.awaitOr("the subscriptions", p.j.begun, 500*time.Millisecond, func() { p.world.broadcast(p.t) })
	p.j.before = p.world.said + p.j.subs[even].step // which it has not shown yet
}

// end closes the client, once its commands have ended, and reports every fault.
func (p *player) end() {
	p.t.Helper()
	p.await("the end of each command", p.j.settled)
	p.call(conformance.Message{"call": "close"})
	p.await("the end of the client", func() bool { return p.j.closed })
	for _, fault := range p.j.verdict() {
		p.t.Error(fault)
	}
}

func (p *player) call(m conformance.Message) {
	p.t.Helper()
	if err := p.d.Call(m); err != nil {
		p.t.Fatal(err)
	}
}

// talk makes the actors say something, and the client command. The client keeps up, so that the faults are all along the way.
func (p *player) talk(count int) {
	p.t.Helper()
	for range count {
		p.world.broadcast(p.t)
		if p.world.said%perSend == 0 {
			p.send(0)
		}
		if p.world.said%10 == 0 {
			p.reached("the broadcasts", p.world.said-mostLead)
		}
	}
}

// send sends a command, and returns its name. Each third one fails.
func (p *player) send(expiresMS int) string {
	p.t.Helper()
	as := p.j.commands.Next()
	m := conformance.Message{"call": "send", "as": as, "consumer": "dome", "command_string": p.j.commands.Does(as), "command_id": as}
	if expiresMS > 0 {
		m["expires_ms"] = expiresMS
	}
	p.call(m)
	return as
}

// reached waits until the client has shown a broadcast, or a later one. After a while something more is said: a client
// that lost some of them, which it may have to, does not know it before.
func (p *player) reached(what string, n int) {
	p.t.Helper()
	p.awaitOr(what, func() bool { return p.j.reached(n) }, 100*time.Millisecond, func() { p.world.broadcast(p.t) })
}

// await hands the judge what the client shows until a condition holds.
func (p *player) await(what string, holds func() bool) {
	p.t.Helper()
	p.awaitOr(what, holds, time.Hour, func() {})
}

// awaitOr is await, and does something each time that a while has passed.
func (p *player) awaitOr(what string, holds func() bool, while time.Duration, do func()) {
	p.t.Helper()
	patience := time.NewTimer(4 * testkit.Patience)
	defer patience.Stop()
	again := time.NewTicker(while)
	defer again.Stop()
	for !holds() {
		select {
		case event, ok := <-p.d.Events():
			if !ok {
				p.t.Fatalf("the driver has ended; waiting for %s", what)
			}
			p.j.event(event)
		case id := <-p.world.got:
			p.j.commands.Got(id)
		case <-again.C:
			do()
		case <-patience.C:
			p.t.Fatalf("waited for %s: %s; %v", what, p.j.summary(), p.j.verdict())
		}
	}
}

// pass hands the judge what the client shows for a while.
func (p *player) pass(while time.Duration) {
	p.t.Helper()
	over := time.Now().Add(while)
	p.awaitOr("time to pass", func() bool { return !time.Now().Before(over) }, while/4+time.Millisecond, func() {})
}
