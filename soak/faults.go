//go:build unix

package soak

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// fault is something that happens. Its lasting is drawn by moment.
type fault struct {
	name string
	do   func(ctx context.Context, r *run)
}

// faultsOf are all faults: those of clients and their networks, of the bridges and their networks, and of the broker.
var faultsOf = slices.Concat(clientFaults, bridgeFaults, brokerFaults)

// deck returns all faults, or those of Config.Only, in a random order.
func (r *run) deck() (faults []fault) {
	r.t.Helper()
	for _, f := range faultsOf {
		if slices.Contains(r.cfg.Without, f.name) {
			continue
		}
		if len(r.cfg.Only) == 0 || slices.Contains(r.cfg.Only, f.name) {
			faults = append(faults, f)
		}
	}
	if n := len(r.cfg.Only); n > 0 && n != len(faults) {
		r.t.Fatalf("not all of %q are faults", r.cfg.Only)
	}
	r.rng.Shuffle(len(faults), func(i, k int) { faults[i], faults[k] = faults[k], faults[i] })
	return faults
}

// happen makes a fault happen, and lets some time pass.
func (r *run) happen(ctx context.Context, f fault) {
	r.t.Helper()
	r.now(f.name)
	r.faults[f.name]++
	f.do(ctx, r)
	r.now("going on")
	r.pass(ctx, r.moment(time.Second))
}

// now notes what is going on, for the lines that are printed.
func (r *run) now(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.doing = what
	r.past = append(r.past[max(0, len(r.past)-tellsFaults+1):], time.Now().UTC().Format(clock)+" "+what)
}

// moment is a random time up to this one.
func (r *run) moment(most time.Duration) time.Duration {
	return most/10 + time.Duration(r.rng.Int64N(int64(most)))
}

func (r *run) anyClient() *client        { return r.clients[r.rng.IntN(len(r.clients))] }
func (r *run) anyBridge() *bridgeProcess { return r.bridges[r.rng.IntN(len(r.bridges))] }

// bridgeFaults are what happens to bridges, and between them and the broker.
var bridgeFaults = []fault{
	{"bridge: restart", func(ctx context.Context, r *run) {
		r.unreachable()
		r.bridges[0].stop()
		r.pass(ctx, r.moment(time.Second))
		r.bridges[0].start()
		r.reachable()
	}},
	{"bridge: upgrade", func(_ context.Context, r *run) { // clients wait at the socket
		r.bridges[0].stop()
		r.bridges[0].start()
	}},
	{"bridge: kill", func(ctx context.Context, r *run) {
		r.bridges[0].kill()
		r.pass(ctx, r.moment(time.Second))
		r.bridges[0].start()
	}},
	{"bridge: kill while it starts", func(ctx context.Context, r *run) {
		r.bridges[0].kill()
		r.bridges[0].start()
		r.pass(ctx, r.moment(time.Second))
		r.bridges[0].kill()
		r.bridges[0].start()
	}},
	{"bridge: stop", func(ctx context.Context, r *run) { r.freeze(ctx, r.anyBridge(), 3*time.Second) }},
	{"bridge: reload", func(_ context.Context, r *run) {
		b := r.anyBridge()
		b.configure()
		b.signal(syscall.SIGHUP)
	}},
	{"link: cut", func(_ context.Context, r *run) { r.anyBridge().network.Cut() }},
	{"link: cut thrice", func(ctx context.Context, r *run) {
		b := r.anyBridge()
		for range 3 {
			b.network.Cut()
			r.pass(ctx, r.moment(500*time.Millisecond))
		}
	}},
	{"link: stall", func(ctx context.Context, r *run) {
		defer r.disturb()()
		r.hold(ctx, r.anyBridge().network, 4*time.Second)
	}},
	{"link: half open", func(ctx context.Context, r *run) {
		defer r.disturb()()
		network := r.anyBridge().network
		network.Swallow(testkit.Direction(r.rng.IntN(2)))
		r.pass(ctx, r.moment(2*time.Second))
		network.Cut()
	}},
	{"link: away", func(ctx context.Context, r *run) {
		network := r.anyBridge().network
		network.Target("127.0.0.1:1") // where nobody listens
		network.Cut()
		r.pass(ctx, r.moment(5*time.Second))
		network.Target(fmt.Sprintf("127.0.0.1:%d", r.node.Port()))
	}},
}

// unreachable makes bridge A refuse connections to the clients.
func (r *run) unreachable() {
	for _, c := range r.clients {
		c.proxy.Target("127.0.0.1:1") // where nobody listens
	}
}

// reachable makes all clients connect to bridge A.
func (r *run) reachable() {
	for _, c := range r.clients {
		c.proxy.Target(r.bridges[0].addr)
	}
}

// freeze stops a bridge for a while.
func (r *run) freeze(ctx context.Context, b *bridgeProcess, most time.Duration) {
	b.signal(syscall.SIGSTOP)
	r.pass(ctx, r.moment(most))
	b.signal(syscall.SIGCONT)
}

// hold stalls one or both directions of a network for a while.
func (r *run) hold(ctx context.Context, network *testkit.ChaosProxy, most time.Duration) {
	directions := [][]testkit.Direction{{testkit.Upstream}, {testkit.Downstream}, {testkit.Upstream, testkit.Downstream}}
	network.Hold(directions[r.rng.IntN(len(directions))]...)
	r.pass(ctx, r.moment(most))
	network.Release()
}

// brokerFaults are what happens to the broker. RabbitMQ that keeps its exchanges in Mnesia loses CLU's, which is not durable,
// with its end: replies are lost until everybody is back.
var brokerFaults = []fault{
	{"broker: restart", func(ctx context.Context, r *run) { r.outage(ctx, r.node.Stop) }},
	{"broker: kill", func(ctx context.Context, r *run) { r.outage(ctx, r.node.Kill) }},
	{"broker: stop", func(ctx context.Context, r *run) {
		defer r.disturb()()
		r.node.Pause(r.t)
		r.pass(ctx, r.moment(5*time.Second))
		r.node.Resume(r.t)
	}},
	{"broker: connections closed", func(_ context.Context, r *run) { r.node.CloseConnections(r.t) }},
	{"broker: blocked", func(ctx context.Context, r *run) {
		defer r.disturb()()
		r.node.SetMemoryAlarm(r.t, true)
		r.pass(ctx, r.moment(4*time.Second))
		r.node.SetMemoryAlarm(r.t, false)
	}},
	{"broker: name deleted", func(_ context.Context, r *run) { r.deleteQueue(r.anyBridge().name + "_replies") }},
	{"broker: stream deleted", func(ctx context.Context, r *run) {
		defer r.disturb()()
		r.lose() // what the bridges have not read of it, and what comes until they have made it anew
		r.deleteQueue(actor.Exchange + "_stream")
		r.pass(ctx, r.moment(3*time.Second))
		for _, b := range r.bridges {
			b.awaitReady()
		}
		r.lose()
		r.anew, r.starts = r.weather.Sent(), r.bridges[0].starts
	}},
	{"broker: actor's queue deleted", func(_ context.Context, r *run) {
		r.dome.lost()
		r.deleteQueue("dome_commands")
	}},
	{"broker: policy", func(ctx context.Context, r *run) {
		b := r.anyBridge()
		r.node.Ctl(r.t, "set_policy", "soak", ".*_replies", `{"max-length": 5, "message-ttl": 100}`, "--apply-to", "queues")
		r.freeze(ctx, b, 2*time.Second)
		r.node.Ctl(r.t, "clear_policy", "soak")
	}},
}

// lose notes that the broker loses replies, until the next check.
func (r *run) lose() {
	r.lossy = true
	for _, c := range r.clients {
		c.loseReplies()
	}
}

// outage ends the broker, and starts it again.
func (r *run) outage(ctx context.Context, end func(testing.TB)) {
	defer r.disturb()()
	r.lose()
	end(r.t)
	r.pass(ctx, r.moment(3*time.Second))
	r.node.Start(r.t)
	r.lose()
}

// deleteQueue deletes a queue, if it is there.
func (r *run) deleteQueue(name string) {
	if slices.Contains(r.node.Queues(r.t, "/"), name) {
		r.node.Ctl(r.t, "delete_queue", name)
	}
}
