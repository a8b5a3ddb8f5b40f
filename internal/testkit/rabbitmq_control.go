package testkit

import (
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"
)

// Stop shuts the node down in order, as an operator would: clients are told. It takes some seconds.
func (n *Node) Stop(t testing.TB) {
	t.Helper()
	n.own(t)
	if n.proc == nil {
		return
	}
	n.proc.Stop(t, stopTimeout)
	n.proc = nil
}

// Kill ends the node at once, as a power cut would: clients see their connection reset.
func (n *Node) Kill(t testing.TB) {
	t.Helper()
	n.own(t)
	if n.proc == nil {
		return
	}
	n.proc.Kill()
	n.proc = nil
}

// Start starts the node again, on the same ports and with the same data.
func (n *Node) Start(t testing.TB) {
	t.Helper()
	n.own(t)
	if n.proc != nil {
		return
	}
	if err := n.start(); err != nil {
		t.Fatal(err)
	}
}

// Restart is Stop and Start.
func (n *Node) Restart(t testing.TB) {
	t.Helper()
	n.Stop(t)
	n.Start(t)
}

// Pause freezes the node: its connections stay open, and nothing is read or answered. It waits
// until the last thread stands still, which on a busy machine is a while after the signal.
func (n *Node) Pause(t testing.TB) {
	t.Helper()
	n.signal(t, pauseSignal)
	Eventually(t, stopTimeout, "RabbitMQ stands still", n.proc.standsStill)
}

// Resume lets a paused node go on.
func (n *Node) Resume(t testing.TB) {
	t.Helper()
	n.signal(t, resumeSignal)
}

func (n *Node) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	n.running(t)
	n.own(t)
	if err := n.proc.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// Ctl runs rabbitmqctl against the node and returns what it writes. It takes about a third of a second.
func (n *Node) Ctl(t testing.TB, args ...string) string {
	t.Helper()
	n.running(t)
	var out []byte
	var err error
	away := func() error {
		out, err = n.ctlCommand(args...).CombinedOutput()
		if err != nil && (strings.Contains(string(out), notStarted) || strings.Contains(string(out), notReached)) {
			return err
		}
		return nil
	}
	if poll(startTimeout, n.proc.Done(), away) != nil || err != nil {
		t.Fatalf("rabbitmqctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// What rabbitmqctl says of a node that is about to be there, as it speaks AMQP a moment before it calls itself
// started, and of one that is there and too busy to answer.
const (
	notStarted = "requires the 'rabbit' app to be running"
	notReached = "unable to perform an operation on node"
)

// CloseConnections makes the node close all client connections (AMQP 320, CONNECTION_FORCED).
func (n *Node) CloseConnections(t testing.TB) {
	t.Helper()
	n.own(t)
	n.Ctl(t, "close_all_connections", "closed by the test")
}

// SetMemoryAlarm switches the alarm on which the node blocks every connection that publishes.
func (n *Node) SetMemoryAlarm(t testing.TB, on bool) {
	t.Helper()
	n.own(t)
	watermark := memoryWatermark
	if on {
		watermark = "0.0000001"
	}
	n.Ctl(t, "set_vm_memory_high_watermark", watermark)
}

// AddUser adds a user who may do everything in the virtual host "/", until the test ends.
func (n *Node) AddUser(t testing.TB, name, password string) {
	t.Helper()
	n.Ctl(t, "add_user", name, password)
	n.deleteLater(t, "delete_user", name)
	n.Ctl(t, "set_permissions", name, ".*", ".*", ".*")
}

// NewVHost makes a virtual host for one test, so that tests on one node do not meet on the same
// exchange, and returns its URL. It is deleted when the test ends.
func (n *Node) NewVHost(t testing.TB) string {
	t.Helper()
	name := "test-" + uuid.NewString()
	n.Ctl(t, "add_vhost", name)
	n.deleteLater(t, "delete_vhost", name)
	n.Ctl(t, "set_permissions", "-p", name, "guest", ".*", ".*", ".*")
	return n.URL() + name
}

// deleteLater runs rabbitmqctl when the test ends, if the node is still there.
func (n *Node) deleteLater(t testing.TB, args ...string) {
	t.Cleanup(func() {
		if n.proc != nil {
			_ = n.ctlCommand(args...).Run()
		}
	})
}

func (n *Node) running(t testing.TB) {
	t.Helper()
	if n.proc == nil {
		t.Fatal("the node is stopped")
	}
}

// own keeps a test from disturbing the others.
func (n *Node) own(t testing.TB) {
	t.Helper()
	if n.shared {
		t.Fatal("this node is shared with other tests: use testkit.StartRabbitMQ")
	}
}
