//go:build cluster

package clustertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

const (
	recovery    = 60 * time.Second // until clients hear replies again after an event
	hopEvery    = 5 * time.Second
	frozenFor   = 25 * time.Second // longer than heartbeats last, shorter than the nodes' own patience (60 s)
	minorityFor = 20 * time.Second
)

// modes are what happens to replies while a bridge is away.
var modes = []struct {
	name    string
	durable func() bridge.Durable
}{
	{"no", func() bridge.Durable { return bridge.Durable{} }},
	{"expires", func() bridge.Durable { return bridge.Durable{Expires: 5 * time.Minute} }},
	{"stream", func() bridge.Durable { return bridge.Durable{Stream: &bridge.Stream{Bytes: 1 << 30}} }},
}

func TestClusterFaultsLoseNothingSilently(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			w := newWorld(t, mode.durable())
			defer w.finish() // also of what came until a node did not start, say
			w.event("calm", func() { pause(t.Context(), hopEvery) })
			for _, n := range w.cluster.Nodes {
				w.event("restart of "+n.Host(), func() { n.Stop(t); n.Start(t) })
			}
			w.event("kill the linked node", func() { w.crash(w.linkedTo(w.bridges[0])) })
			w.event("kill the queue's home", func() { w.crash(w.home()) })
			w.event("freeze the linked node", func() { w.freeze(w.linkedTo(w.bridges[0])) })
			w.event("two of three down", func() { w.minority(w.linkedTo(w.bridges[0])) })
		})
	}
}

// world is a cluster, the programs on it, and their clients.
type world struct {
	t          *testing.T
	durable    bridge.Durable
	cluster    *testkit.Cluster
	bridges    []*runningBridge
	runners    []*runner
	publishers []*publisher
	commanders []*commander
	listeners  []*listener
	windows    []window
}

// window is an event, and the first numbers that belong to it.
type window struct {
	name              string
	from, to          time.Time
	replies, commands []int
	heard             time.Duration // until all clients heard new replies again
	unheard           bool          // they did not
}

func newWorld(t *testing.T, durable bridge.Durable) *world {
	t.Helper()
	w := &world{t: t, durable: durable, cluster: testkit.StartCluster(t, 3)}
	urls := w.cluster.URLs()
	// Each program begins at a different node.
	from := func(i int) []string { return slices.Concat(urls[i:], urls[:i]) }
	w.bridges = []*runningBridge{startBridge(t, "east", durable, from(0)), startBridge(t, "west", durable, from(1))}
	w.runners = []*runner{startRunner(t, "alpha", from(2)), startRunner(t, "beta", from(1))}
	w.awaitLinks()
	east, west := w.bridges[0], w.bridges[1]
	w.listeners = []*listener{
		startListener(t, "stays in the east", 2, 0, east.addr),
		startListener(t, "stays in the west", 2, 0, west.addr),
		startListener(t, "resumes in the east", 2, hopEvery, east.addr, east.addr),
		startListener(t, "changes sides", 2, hopEvery, west.addr, east.addr),
	}
	testkit.Eventually(t, testkit.Patience, "all clients are connected", func() error {
		if east.Clients()+west.Clients() < len(w.listeners) {
			return errors.New("not yet")
		}
		return nil
	})
	for i := range commandersPerBridge {
		for _, b := range w.bridges {
			name := fmt.Sprintf("%s%d", b.Name(), i)
			rate := *commandsPerSecond / commandersPerBridge / len(w.bridges)
			w.commanders = append(w.commanders, startCommander(t, name, b.addr, rate, "alpha", "beta"))
		}
	}
	for id := range 2 {
		w.publishers = append(w.publishers, startPublisher(t, id, *repliesPerSecond/2, from(id)))
	}
	return w
}

// runningBridge is a bridge that serves until the test ends.
type runningBridge struct {
	*bridge.Bridge
	addr string
	link *linkLog
}

func startBridge(t *testing.T, name string, durable bridge.Durable, urls []string) *runningBridge {
	t.Helper()
	r := &runningBridge{link: &linkLog{}}
	var err error
	r.Bridge, err = bridge.New(bridge.Config{
		Name: name, Broker: urls, Durable: durable, OnLink: r.link.note,
		History: hub.History{Replies: 1 << 20, Bytes: 1 << 30},
		Logger:  logger(t, name),
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = ln.Addr().String()
	if err := r.Listen(ln); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	return r
}

// awaitLinks waits until all programs are linked.
func (w *world) awaitLinks() {
	w.t.Helper()
	testkit.Eventually(w.t, testkit.Patience, "all programs are linked", func() error {
		for _, b := range w.bridges {
			if up, _ := b.link.up(); !up {
				return fmt.Errorf("%s is not", b.Name())
			}
		}
		for _, r := range w.runners {
			if up, _ := r.link.up(); !up {
				return fmt.Errorf("%s is not", r.name)
			}
		}
		return nil
	})
}

// event does something to the cluster and waits until that has passed.
func (w *world) event(name string, happens func()) {
	w.t.Helper()
	win := window{name: name, from: time.Now()}
	for _, p := range w.publishers {
		win.replies = append(win.replies, p.sent())
	}
	for _, c := range w.commanders {
		win.commands = append(win.commands, c.sent())
	}
	w.t.Logf("--- %s", name)
	happens()
	w.cluster.AwaitFormed(w.t)
	if err := w.recovered(); err != nil {
		w.t.Errorf("%s: not within %v: %v", name, recovery, err)
		win.unheard = true
	}
	win.to = time.Now()
	win.heard = win.to.Sub(win.from)
	w.windows = append(w.windows, win)
}

// recovered waits until all clients receive the replies published from now on, and both actors
// are linked.
func (w *world) recovered() error {
	var from []int
	for _, p := range w.publishers {
		from = append(from, p.sent())
	}
	return w.within(recovery, func() error { return w.missing(from) })
}

// within repeats a check until it returns no error, or returns the last one.
func (w *world) within(limit time.Duration, check func() error) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), limit)
	defer cancel()
	for {
		err := check()
		if err == nil || ctx.Err() != nil {
			return err
		}
		pause(ctx, 25*time.Millisecond)
	}
}

// missing says which clients do not receive replies yet.
func (w *world) missing(from []int) error {
	for _, l := range w.listeners {
		if err := l.heardPast(from); err != nil {
			return err
		}
	}
	for _, r := range w.runners {
		if up, _ := r.link.up(); !up {
			return fmt.Errorf("%s is not linked", r.name)
		}
	}
	return nil
}

// linkedTo returns the node to which a bridge is linked.
func (w *world) linkedTo(b *runningBridge) *testkit.Node {
	w.t.Helper()
	_, broker := b.link.up()
	at, err := url.Parse(broker)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, n := range w.cluster.Nodes {
		if n.Host() == at.Hostname() {
			return n
		}
	}
	w.t.Fatalf("%s is linked to %q", b.Name(), broker)
	return nil
}

// home returns the node that holds the queue of the west bridge, or the stream.
func (w *world) home() *testkit.Node {
	w.t.Helper()
	queue := actor.RepliesQueue(w.bridges[1].Name())
	switch {
	case w.durable.Stream != nil:
		queue = actor.Exchange + "_stream"
	case w.durable.Expires > 0 && w.exists(queue+"_kept"):
		queue += "_kept"
	}
	return w.cluster.QueueLeader(w.t, w.cluster.Nodes[0], queue)
}

func (w *world) exists(queue string) bool {
	_, err := testkit.OpenChannel(w.t, w.cluster.Nodes[0].URL()).QueueDeclarePassive(queue, true, false, false, false, amqp.Table{})
	return err == nil
}

// crash kills a node, and starts it again when the others have taken over.
func (w *world) crash(n *testkit.Node) {
	w.t.Logf("kill %s", n.Host())
	n.Kill(w.t)
	if err := w.recovered(); err != nil {
		w.t.Errorf("without %s: not within %v: %v", n.Host(), recovery, err)
	}
	n.Start(w.t)
}

func (w *world) freeze(n *testkit.Node) {
	w.t.Logf("freeze %s", n.Host())
	n.Pause(w.t)
	pause(w.t.Context(), frozenFor)
	n.Resume(w.t)
}

// minority leaves one node of three for a while.
func (w *world) minority(stays *testkit.Node) {
	for _, n := range w.cluster.Nodes {
		if n != stays {
			w.t.Logf("kill %s", n.Host())
			n.Kill(w.t)
		}
	}
	pause(w.t.Context(), minorityFor)
	for _, n := range w.cluster.Nodes {
		if n != stays {
			n.Start(w.t)
		}
	}
}
