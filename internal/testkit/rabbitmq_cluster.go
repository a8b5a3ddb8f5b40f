package testkit

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Cluster is a RabbitMQ cluster that a test has started. Its nodes listen on the loopback addresses 127.0.0.2, 127.0.0.3
// and so on, all on the same port: without epmd, Erlang looks for every node of a cluster at one port, and only the
// address differs. Its methods are for the test's goroutine.
type Cluster struct {
	// Nodes may be stopped, killed, started again, paused and resumed one by one.
	Nodes []*Node

	release []func()
}

const (
	clusterTimeout = 2 * time.Minute // until the nodes have found each other; about 12 s on an idle machine
	firstHost      = 2               // of 127.0.0.x
)

// StartCluster starts a cluster for one test, and returns when all its nodes are members. The cluster and its data are
// deleted when the test ends. Systems with a single loopback address, such as macOS, count as lacking a component: see
// [Missing].
func StartCluster(t testing.TB, nodes int, opts ...RabbitOption) *Cluster {
	t.Helper()
	bin := rabbitBin(t)
	if err := loopbackAddresses(nodes); err != nil {
		Missing(t, "loopback addresses for a cluster", err.Error())
	}
	var o rabbitOptions
	for _, opt := range opts {
		opt(&o)
	}
	c := &Cluster{}
	t.Cleanup(c.discard)
	if err := c.prepare(bin, nodes, o); err != nil {
		t.Fatal(err)
	}
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
	c.AwaitFormed(t)
	return c
}

// loopbackAddresses returns an error unless every node can have an address of its own.
func loopbackAddresses(nodes int) error {
	for i := range nodes {
		l, err := net.Listen("tcp4", net.JoinHostPort(clusterHost(i), "0"))
		if err != nil {
			return fmt.Errorf("add an alias for %s to the loopback interface: %w", clusterHost(i), err)
		}
		l.Close()
	}
	return nil
}

func clusterHost(i int) string { return fmt.Sprintf("127.0.0.%d", firstHost+i) }

// prepare reserves ports and writes the nodes' configuration. It starts nothing.
func (c *Cluster) prepare(bin string, nodes int, opts rabbitOptions) error {
	var ports nodePorts
	for _, port := range []*int{&ports.amqp, &ports.dist} {
		var release func()
		var err error
		if *port, release, err = claimPort(); err != nil {
			return err
		}
		c.release = append(c.release, release)
	}
	for i := range nodes {
		c.Nodes = append(c.Nodes, &Node{
			bin: bin, ports: ports, host: clusterHost(i), long: true,
			name: fmt.Sprintf("clu-ws-%d@%s", ports.dist, clusterHost(i)),
		})
	}
	opts.config = append(slices.Clone(opts.config), clusterConfig(c.Nodes)...)
	for _, n := range c.Nodes {
		n.opts = opts
		var err error
		if n.dir, err = os.MkdirTemp("", "clu-ws-rabbitmq-"); err != nil {
			return err
		}
		if err := n.writeConfig(); err != nil {
			return err
		}
	}
	return nil
}

// clusterConfig makes the nodes find each other at their first start, and keeps them small.
func clusterConfig(nodes []*Node) []string {
	lines := []string{
		"cluster_formation.peer_discovery_backend = classic_config",
		"raft.wal_max_size_bytes = 33554432",
	}
	for i, n := range nodes {
		lines = append(lines, fmt.Sprintf("cluster_formation.classic_config.nodes.%d = %s", i+1, n.name))
	}
	return lines
}

// start starts all nodes at once: each waits for its peers.
func (c *Cluster) start() error {
	failed := make([]error, len(c.Nodes))
	var wg sync.WaitGroup
	for i, n := range c.Nodes {
		wg.Go(func() { failed[i] = n.start() })
	}
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) discard() {
	for _, n := range c.Nodes {
		n.discard()
	}
	for _, release := range c.release {
		release()
	}
}

// URLs returns the URLs of all nodes, for a client that fails over.
func (c *Cluster) URLs() []string {
	var urls []string
	for _, n := range c.Nodes {
		urls = append(urls, n.URL())
	}
	return urls
}

// AwaitFormed waits until every node sees all others and serves clients. A node that was started or resumed rejoins after
// a while.
func (c *Cluster) AwaitFormed(t testing.TB) {
	t.Helper()
	for _, n := range c.Nodes {
		n.Ctl(t, "await_online_nodes", strconv.Itoa(len(c.Nodes)),
			"--timeout", strconv.Itoa(int(clusterTimeout.Seconds())))
	}
}

// Host returns the address on which the node listens.
func (n *Node) Host() string { return n.host }

// QueueLeader returns the node that hosts a queue of the virtual host "/" or, if the queue is replicated, its leader. It
// asks the node via.
func (c *Cluster) QueueLeader(t testing.TB, via *Node, queue string) *Node {
	t.Helper()
	const leader = `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"%s">>)),` +
		` case amqqueue:get_pid(Q) of {_, Node} -> Node; Pid -> node(Pid) end.`
	out := via.Ctl(t, "eval", fmt.Sprintf(leader, queue))
	for _, n := range c.Nodes {
		if strings.Contains(out, "'"+n.name+"'") {
			return n
		}
	}
	t.Fatalf("no node leads %s: %s", queue, out)
	return nil
}
