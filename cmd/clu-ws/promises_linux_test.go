package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The table of docs/operating.md that says what happens to replies, checked cell by cell: three bridges, one
// for each kind of --durable, receive the replies of one source, each of which the broker confirms, while
// something happens to the broker, the network, the bridges or what is declared.
func TestThePromisesOfTheOperatingPage(t *testing.T) {
	t.Parallel()
	table := promises(t)
	var tested []string
	for _, g := range eventGroups {
		for _, e := range g.events {
			tested = append(tested, e.row)
			if _, ok := table[e.row]; !ok {
				t.Errorf("docs/operating.md has no row %q", e.row)
			}
		}
	}
	for row := range table {
		if !slices.Contains(tested, row) {
			t.Errorf("the row %q of docs/operating.md is not tested", row)
		}
	}
	// More at the same time than there are processors, as they mostly wait, and few enough that no broker stands still.
	var running sync.WaitGroup
	defer running.Wait()
	places := make(chan struct{}, 3)
	for _, g := range eventGroups {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			t.Run(g.name, func(t *testing.T) {
				s := newPromiseHarness(t, g.node, g.expires, g.rate)
				for _, e := range g.events {
					s.run(t, e)
				}
				s.check(t, table)
			})
		})
	}
}

// event is one row of the table.
type event struct {
	row     string
	disturb func(t *testing.T, s *promiseHarness)
}

// eventGroups run at the same time, some of them, and the events of each one after another. Those that disturb the broker
// have a node of their own. What takes longest comes first.
var eventGroups = []struct {
	name    string
	node    func(testing.TB, ...testkit.RabbitOption) *testkit.Node
	expires time.Duration
	rate    int // replies a second: a bridge that stands still for 3 s has more than the prefetch to come
	events  []event
}{
	{"broker pauses", testkit.StartRabbitMQ, longExpiry, 100, []event{
		{"the broker stands still for 20 s", pauseBroker},
		{"the broker is killed and started", killBroker},
	}},
	{"broker restarts", testkit.StartRabbitMQ, longExpiry, 100, []event{
		{"the broker is restarted", func(t *testing.T, s *promiseHarness) { s.restart(t) }},
		{"the broker is restarted while the bridge stands still", restartUnderFrozenBridges},
	}},
	{"queues that go", sharedNode, shortExpiry, slowRate, []event{
		{"the bridge is away for longer than `expires`", awayTooLong},
		{"the queue or the stream is deleted by hand", deleteQueues},
	}},
	{"silence", sharedNode, longExpiry, 100, []event{
		{"the network goes silent", func(_ *testing.T, s *promiseHarness) { s.network.silence() }},
	}},
	{"by hand", sharedNode, longExpiry, 100, []event{
		{"the exchange is deleted by hand", deleteExchange},
		{"a policy drops replies (`max-length`)", dropByLength},
		{"a policy drops replies (`message-ttl`)", dropByAge},
	}},
	{"bridge", sharedNode, longExpiry, 100, []event{
		{"the bridge stands still for some seconds", standStill},
		{"the bridge is restarted", restartBridges},
		{"the bridge is killed", killBridges},
	}},
	{"network", sharedNode, longExpiry, 100, []event{
		{"the connection breaks", breakConnections},
		{"the connection breaks, and the broker does not notice (half-open)", func(_ *testing.T, s *promiseHarness) { s.network.halfOpen() }},
	}},
}

// longExpiry is longer than brokers and bridges need to start on a busy machine.
const longExpiry = time.Hour

// shortExpiry is the time of --durable expires=... of the bridge that is disconnected for longer.
const shortExpiry = time.Second

// slowRate is a rate at which no sender has more than 32 unconfirmed replies in a quorum queue that is deleted:
// RabbitMQ up to 4.0, and maybe later, blocks the channel of such a sender for good.
const slowRate = 20

func sharedNode(t testing.TB, _ ...testkit.RabbitOption) *testkit.Node { return testkit.RabbitMQ(t) }

// breakConnections breaks the connections until the broker has noticed it, and replies are lost.
func breakConnections(t *testing.T, s *promiseHarness) {
	s.network.dropAll(true)
	testkit.Eventually(t, testkit.Patience, "the broker has noticed it", func() error {
		queues := s.node.Queues(t, s.vhost)
		for _, b := range s.bridges {
			if slices.Contains(queues, actor.RepliesQueue(b.column)) {
				return errors.New(actor.RepliesQueue(b.column) + " exists")
			}
		}
		return nil
	})
	s.awaitSettled(t, s.source.Sent())
	s.network.dropAll(false)
}

// awaitSettled waits until the broker has answered a second of replies from this one on.
func (s *promiseHarness) awaitSettled(t *testing.T, first int) {
	t.Helper()
	testkit.Eventually(t, 2*time.Minute, "the broker answers", func() error {
		if n := s.source.SettledFrom(first); n < s.rate {
			return fmt.Errorf("it has answered %d replies", n)
		}
		return nil
	})
}

func awayTooLong(t *testing.T, s *promiseHarness) {
	s.network.dropAll(true)
	kept := s.bridges[slices.IndexFunc(s.bridges, func(b *durableBridge) bool { return b.column == "expires" })].consumes
	testkit.Eventually(t, testkit.Patience, "the kept queue has expired", func() error {
		if slices.Contains(s.node.Queues(t, s.vhost), kept) {
			return errors.New("it exists") // a quorum queue checks its age every five seconds only
		}
		return nil
	})
	s.network.dropAll(false)
}

func standStill(t *testing.T, s *promiseHarness) {
	s.freeze(t)
	<-time.After(3 * time.Second) // the length of the stall is what is tested
	s.thaw(t)
}

// restart restarts the broker, which hears of the source before it does of the bridges.
func (s *promiseHarness) restart(t *testing.T) {
	s.node.Stop(t)
	s.startNode(t)
}

func (s *promiseHarness) startNode(t *testing.T) {
	s.down = time.Now()
	s.network.dropAll(true)
	first := s.source.Sent()
	s.node.Start(t)
	s.awaitSettled(t, first)
	s.network.dropAll(false)
}

func restartBridges(t *testing.T, s *promiseHarness) {
	for _, b := range s.bridges {
		b.stop(t)
	}
	s.down = time.Now()
	for _, b := range s.bridges {
		b.start(t)
	}
}

func killBridges(t *testing.T, s *promiseHarness) {
	for _, b := range s.bridges {
		b.signal(t, syscall.SIGKILL)
		b.ends(t)
	}
	s.down = time.Now()
	for _, b := range s.bridges {
		b.start(t)
	}
}

// deleteExchange deletes the exchange, which comes back before the bridges have noticed it, until a reply is lost.
func deleteExchange(t *testing.T, s *promiseHarness) {
	lost := func(o testkit.Outcome) bool { return o.Returned }
	for first := s.source.Sent(); !slices.ContainsFunc(s.source.Outcomes()[first:], lost); s.awaitNext(t) {
		ch := testkit.OpenChannel(t, s.url)
		const durable, autoDelete, internal, ifUnused, noWait = false, true, false, false, false
		if err := errors.Join(ch.ExchangeDelete(actor.Exchange, ifUnused, noWait),
			ch.ExchangeDeclare(actor.Exchange, "topic", durable, autoDelete, internal, noWait, nil)); err != nil {
			t.Fatal(err)
		}
	}
}

func deleteQueues(t *testing.T, s *promiseHarness) {
	for _, b := range s.bridges {
		s.node.DeleteQueue(t, s.vhost, b.consumes)
	}
}

// A bridge that keeps up has no replies in its queue that a policy could drop.
func dropByLength(t *testing.T, s *promiseHarness) { drop(t, s, `{"max-length": 20}`) }
func dropByAge(t *testing.T, s *promiseHarness)    { drop(t, s, `{"message-ttl": 200}`) }

func drop(t *testing.T, s *promiseHarness, policy string) {
	s.node.SetPolicy(t, s.vhost, policy)
	s.freeze(t)
	first := s.source.Sent()
	<-time.After(3 * time.Second) // longer than it takes to fill the prefetch, unless the machine is busy
	for _, b := range s.bridges {
		if b.column == "stream" {
			continue // a policy of this kind does not apply to it
		}
		testkit.Eventually(t, testkit.Patience, "the policy has dropped replies to "+b.column, func() error {
			accepted := s.source.AcceptedFrom(first)
			if accepted < prefetch+2*dropped {
				return fmt.Errorf("%d replies were accepted since the bridge stands still", accepted)
			}
			// The queue of a bridge that stands still for too long goes with its connection.
			if kept, ok := s.node.Messages(t, s.vhost, b.consumes); ok && kept > accepted-dropped {
				return fmt.Errorf("the queue has %d messages, of %d replies that were accepted since the bridge stands still", kept, accepted)
			}
			return nil
		})
	}
	s.thaw(t)
	s.awaitNext(t)
	s.node.ClearPolicy(t, s.vhost)
}

// dropped is how many replies a policy drops at least.
const dropped = 20

func pauseBroker(t *testing.T, s *promiseHarness) {
	s.node.Pause(t)
	<-time.After(20 * time.Second) // the length of the pause is what is tested
	s.node.Resume(t)
}

func killBroker(t *testing.T, s *promiseHarness) {
	s.node.Kill(t)
	s.startNode(t)
}

func restartUnderFrozenBridges(t *testing.T, s *promiseHarness) {
	s.freeze(t)
	s.restart(t)
	s.thaw(t)
}

// promiseHarness is a broker, a network, a source and three bridges, for the events of one group.
type promiseHarness struct {
	node    *testkit.Node
	rate    int // replies a second: a bridge that stands still for 3 s has more than the prefetch to come
	vhost   string
	url     string
	network *faultyNetwork
	source  *testkit.Source
	bridges []*durableBridge
	down    time.Time // when the broker was last down, or the bridges
	ran     []eventRun
}

func newPromiseHarness(t *testing.T, node func(testing.TB, ...testkit.RabbitOption) *testkit.Node, expires time.Duration, rate int) *promiseHarness {
	t.Helper()
	s := &promiseHarness{node: node(t), rate: rate}
	s.url = s.node.NewVHost(t)
	s.vhost = s.url[strings.LastIndex(s.url, "/")+1:]
	s.network = newFaultyNetwork(t, s.url)
	for _, b := range []*durableBridge{
		{column: "no", durable: "no", consumes: actor.RepliesQueue("no")},
		{column: "expires", durable: "expires=" + expires.String(), consumes: actor.RepliesQueue("expires") + "_kept"},
		{column: "stream", durable: "stream", consumes: actor.Exchange + "_stream"},
	} {
		port := freePort(t)
		b.args = []string{"websocket", "--url", s.network.through(t, s.url), "--host", "127.0.0.1", "--port", port,
			"--name", b.column, "--durable", b.durable, "--history", "200000"}
		b.start(t)
		b.recorder = record(t, b.column, "ws://127.0.0.1:"+port+"/")
		s.bridges = append(s.bridges, b)
	}
	s.source = testkit.StartSource(t, s.url, rate)
	s.awaitNext(t)
	return s
}

// durableBridge is a bridge and its client.
type durableBridge struct {
	child
	column   string // of the table, and its name
	durable  string
	consumes string // the queue or stream
	args     []string
	earlier  []child // processes of earlier starts
	recorder *recorder
}

// start starts it and returns once it is linked.
func (b *durableBridge) start(t *testing.T) {
	t.Helper()
	if b.Process != nil {
		b.earlier = append(b.earlier, b.child)
	}
	b.child = child{testkit.StartProcess(t, command(t, b.args...))}
	b.Output.WaitFor(t, 2*time.Minute, `msg="linked to the broker"`)
}

// logged returns the number of gaps in the log.
func (b *durableBridge) logged() (gaps int) {
	for _, c := range append(b.earlier, b.child) {
		gaps += strings.Count(c.Output.String(), "replies may have been lost")
	}
	return gaps
}

func (s *promiseHarness) freeze(t *testing.T) {
	t.Helper()
	for _, b := range s.bridges {
		b.freeze(t)
	}
}

func (s *promiseHarness) thaw(t *testing.T) {
	t.Helper()
	for _, b := range s.bridges {
		b.signal(t, syscall.SIGCONT)
	}
}

// awaitNext waits until all clients have received the next reply that is sent.
func (s *promiseHarness) awaitNext(t *testing.T) {
	t.Helper()
	next := s.source.Sent()
	testkit.Eventually(t, 2*time.Minute, fmt.Sprintf("every client has reply %d", next), func() error {
		var late error
		for _, b := range s.bridges {
			late = errors.Join(late, b.recorder.reached(next))
		}
		return late
	})
}
