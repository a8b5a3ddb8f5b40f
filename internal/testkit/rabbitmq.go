package testkit

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	startTimeout = 3 * time.Minute // about 3.5 s on an idle machine, over a minute on a crowded one
	stopTimeout  = 3 * time.Minute // about 2.5 s
)

// Node is a RabbitMQ node that the tests have started, on 127.0.0.1, with the user guest and the virtual host "/". Its
// methods are for the test's goroutine.
type Node struct {
	TLS *Certificates // nil unless asked for by [WithTLS] or [WithClientCertificates]

	dir    string // config, data and log
	host   string // the address on which it listens
	name   string // the Erlang node name
	long   bool   // the name is a long one, with an address behind the @
	bin    string // the folder of rabbitmq-server and rabbitmqctl
	shared bool
	opts   rabbitOptions
	ports  nodePorts
	proc   *Process // nil while the node is stopped

	version Version // known once it has started
}

// nodePorts stay reserved until the node is discarded, so that they are free when it restarts.
type nodePorts struct {
	amqp, tls, dist int
	release         []func()
}

// RabbitMQ returns the node that all tests of a test binary share. The first call starts it, in about four seconds, and
// [Main] stops it. A test that disturbs its broker uses [StartRabbitMQ].
func RabbitMQ(t testing.TB) *Node {
	t.Helper()
	bin := rabbitBin(t)
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.broker == nil && shared.failed == nil {
		shared.broker, shared.failed = newNode(bin, rabbitOptions{})
		if shared.failed == nil {
			shared.broker.shared = true
		}
	}
	if shared.failed != nil {
		t.Fatal(shared.failed)
	}
	return shared.broker
}

// StartRabbitMQ returns a node for one test alone, which may stop, restart and pause it. Its data are deleted when the
// test ends. It may be a node that an earlier test used and that was reset; its log is then older than the test.
func StartRabbitMQ(t testing.TB, opts ...RabbitOption) *Node {
	t.Helper()
	bin := rabbitBin(t)
	var o rabbitOptions
	for _, opt := range opts {
		opt(&o)
	}
	n := shared.takeIdle(o)
	if n == nil {
		var err error
		if n, err = newNode(bin, o); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { shared.release(t, n) })
	return n
}

// newNode creates and starts a node. On failure nothing of it is left.
func newNode(bin string, opts rabbitOptions) (_ *Node, err error) {
	n := &Node{bin: bin, opts: opts, host: "127.0.0.1"}
	defer func() {
		if err != nil {
			n.discard()
		}
	}()
	if n.dir, err = os.MkdirTemp("", "clu-ws-rabbitmq-"); err != nil {
		return nil, err
	}
	for _, port := range []*int{&n.ports.amqp, &n.ports.tls, &n.ports.dist} {
		var release func()
		if *port, release, err = claimPort(); err != nil {
			return nil, err
		}
		n.ports.release = append(n.ports.release, release)
	}
	n.name = fmt.Sprintf("clu-ws-%d@localhost", n.ports.dist)
	if opts.tls {
		if n.TLS, err = newCertificates(filepath.Join(n.dir, "tls")); err != nil {
			return nil, err
		}
	}
	if err = n.writeConfig(); err != nil {
		return nil, err
	}
	if err = n.start(); err != nil {
		return nil, err
	}
	return n, nil
}

// start starts the server and returns once it speaks AMQP.
func (n *Node) start() error {
	proc, err := startProcess(n.serverCommand())
	if err != nil {
		return err
	}
	n.proc = proc
	if err = n.awaitAMQP(); err != nil {
		n.proc.Kill()
		n.proc = nil
		return fmt.Errorf("RabbitMQ did not start: %w; its log ends:\n%s", err, proc.Output.Tail())
	}
	return nil
}

// awaitAMQP waits until the node speaks AMQP on all its ports.
func (n *Node) awaitAMQP() error {
	return poll(startTimeout, n.proc.Done(), func() error {
		conn, err := amqp.DialConfig(n.URL(), amqp.Config{Dial: amqp.DefaultDial(5 * time.Second)})
		if err != nil {
			return err
		}
		version, err := versionOf(conn)
		if err := errors.Join(err, conn.Close()); err != nil {
			return err
		}
		n.version = version
		if n.TLS == nil {
			return nil
		}
		// RabbitMQ 4 opens this port later.
		tls, err := net.Dial("tcp", net.JoinHostPort(n.host, strconv.Itoa(n.ports.tls)))
		if err != nil {
			return err
		}
		return tls.Close()
	})
}

// discard kills the node and removes its data.
func (n *Node) discard() {
	if n.proc != nil {
		n.proc.Kill()
		n.proc = nil
	}
	for _, release := range n.ports.release {
		release()
	}
	n.ports.release = nil
	if n.dir != "" {
		_ = os.RemoveAll(n.dir)
	}
}

// Port returns the node's AMQP port, which stays the same when it restarts.
func (n *Node) Port() int { return n.ports.amqp }

// URL returns amqp://guest:guest@127.0.0.1:port/, with the virtual host "/". Each node of a [Cluster] has an address of
// its own.
func (n *Node) URL() string {
	return fmt.Sprintf("amqp://guest:guest@%s/", net.JoinHostPort(n.host, strconv.Itoa(n.ports.amqp)))
}

// TLSURL returns the amqps:// form of [Node.URL]. It needs [WithTLS].
func (n *Node) TLSURL() string {
	return fmt.Sprintf("amqps://guest:guest@localhost:%d/", n.ports.tls)
}

// Log returns the node's log since its last start.
func (n *Node) Log() string {
	if n.proc == nil {
		return ""
	}
	return n.proc.Output.String()
}
