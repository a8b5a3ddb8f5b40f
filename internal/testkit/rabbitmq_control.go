package testkit

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"
)

// Stop shuts the node down as an operator would: it closes its clients' connections. That takes some seconds.
func (n *Node) Stop(t testing.TB) {
	t.Helper()
	n.mustOwn(t)
	if n.proc == nil {
		return
	}
	n.proc.Stop(t, stopTimeout)
	n.proc = nil
}

// Kill kills the node: its clients' connections are reset.
func (n *Node) Kill(t testing.TB) {
	t.Helper()
	n.mustOwn(t)
	if n.proc == nil {
		return
	}
	n.proc.Kill()
	n.proc = nil
}

// Start starts the node again, on the same ports and with the same data.
func (n *Node) Start(t testing.TB) {
	t.Helper()
	n.mustOwn(t)
	if n.proc != nil {
		return
	}
	if err := n.start(); err != nil {
		t.Fatal(err)
	}
}

// Restart stops RabbitMQ and starts it again in the same process, which takes a quarter of [Node.Stop] and [Node.Start].
// For clients there is no difference: connections are closed, none are accepted meanwhile, and what is not durable is lost.
func (n *Node) Restart(t testing.TB) {
	t.Helper()
	n.running(t)
	n.mustOwn(t)
	_, err := n.evalWithin(startTimeout, "ok = rabbit:stop(), ok = rabbit:start().")
	if err == nil {
		err = n.awaitAMQP()
	}
	if err != nil {
		t.Fatalf("RabbitMQ did not restart: %v; its log ends:\n%s", err, n.proc.Output.Tail())
	}
}

// Pause freezes the node: its connections stay open, but it neither reads nor answers. Pause returns when the last thread
// has stopped, which on a busy machine is a while after the signal.
func (n *Node) Pause(t testing.TB) {
	t.Helper()
	n.signal(t, pauseSignal)
	Eventually(t, stopTimeout, "RabbitMQ is frozen", n.proc.checkFrozen)
}

// Resume lets a paused node continue.
func (n *Node) Resume(t testing.TB) {
	t.Helper()
	n.signal(t, resumeSignal)
}

func (n *Node) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	n.running(t)
	n.mustOwn(t)
	if err := n.proc.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// Ctl runs rabbitmqctl on the node and returns its output. It takes a second of a processor: see [Node.Eval].
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

// What rabbitmqctl says of a node that is still starting, although it speaks AMQP already, and of one that is too busy to
// answer.
const (
	notStarted = "requires the 'rabbit' app to be running"
	notReached = "unable to perform an operation on node"
)

// CloseConnections makes the node close all client connections (AMQP 320, CONNECTION_FORCED).
func (n *Node) CloseConnections(t testing.TB) {
	t.Helper()
	n.mustOwn(t)
	n.Eval(t, closeConnections("closed by the test")+".")
}

// closeConnections returns the Erlang that closes all client connections. The exit of one that ends by itself meanwhile
// is no error.
func closeConnections(reason string) string {
	return fmt.Sprintf(`[try rabbit_networking:close_connection(C, %q) catch exit:_ -> ok end || C <- rabbit_networking:connections()]`, reason)
}

// SetMemoryAlarm raises or clears the memory alarm, and returns when it holds. While it does, the node blocks every connection
// that publishes, at its next publish.
func (n *Node) SetMemoryAlarm(t testing.TB, on bool) {
	t.Helper()
	n.mustOwn(t)
	watermark := memoryWatermark
	if on {
		watermark = "0.0000001"
	}
	n.Eval(t, "vm_memory_monitor:set_vm_memory_high_watermark("+watermark+").")
	Eventually(t, Patience, "the memory alarm changes", func() error {
		text, err := n.eval(`atom_to_binary(lists:any(fun({{resource_limit, memory, _}, _}) -> true; (_) -> false end, rabbit_alarm:get_alarms())).`)
		if err == nil && text != strconv.FormatBool(on) {
			err = fmt.Errorf("it is %s", text)
		}
		return err
	})
}

// actingUser is the user to whom the node attributes what the tests change.
const actingUser = "clu-ws-tests"

// AddUser adds a user with all permissions in the virtual host "/", until the test ends.
func (n *Node) AddUser(t testing.TB, name, password string) {
	t.Helper()
	n.Eval(t, erlangCall("rabbit_auth_backend_internal:add_user", name, password, actingUser))
	n.evalOnCleanup(t, erlangCall("rabbit_auth_backend_internal:delete_user", name, actingUser))
	n.SetPermissions(t, "/", name, ".*", ".*", ".*")
}

// SetPermissions sets what a user may configure, write and read in a virtual host, as regular expressions.
func (n *Node) SetPermissions(t testing.TB, vhost, user, configure, write, read string) {
	t.Helper()
	n.Eval(t, erlangCall("rabbit_auth_backend_internal:set_permissions", user, vhost, configure, write, read, actingUser))
}

// SetTopicPermissions sets which routing keys a user may write and read at an exchange, as regular expressions.
func (n *Node) SetTopicPermissions(t testing.TB, vhost, user, exchange, write, read string) {
	t.Helper()
	n.Eval(t, erlangCall("rabbit_auth_backend_internal:set_topic_permissions", user, vhost, exchange, write, read, actingUser))
}

// SetPolicy sets a policy, in JSON, on all queues of a virtual host.
func (n *Node) SetPolicy(t testing.TB, vhost, definition string) {
	t.Helper()
	call := strings.TrimSuffix(erlangCall("rabbit_policy:parse_set", vhost, "test", ".*", definition, "0", "queues", actingUser), ".")
	n.Eval(t, "ok = "+call+".")
}

// ClearPolicy takes the policy of [Node.SetPolicy] away.
func (n *Node) ClearPolicy(t testing.TB, vhost string) {
	t.Helper()
	n.Eval(t, erlangCall("rabbit_policy:delete", vhost, "test", actingUser))
}

// DeleteQueue deletes a queue, as an operator would.
func (n *Node) DeleteQueue(t testing.TB, vhost, queue string) {
	t.Helper()
	n.Eval(t, fmt.Sprintf(`
		{ok, Q} = rabbit_amqqueue:lookup(%s),
		{ok, _} = rabbit_amqqueue:delete(Q, false, false, <<"%s">>).`, erlangQueue(vhost, queue), actingUser))
}

// Messages returns how many messages a queue has, the unacknowledged ones among them. ok is false if the queue is gone.
func (n *Node) Messages(t testing.TB, vhost, queue string) (count int, ok bool) {
	t.Helper()
	n.running(t)
	text, err := n.eval(fmt.Sprintf(`
		{ok, Q} = rabbit_amqqueue:lookup(%s),
		N = case amqqueue:get_type(Q) of
			rabbit_quorum_queue -> %% its statistics are seconds old
				{ok, {_, Total}, _} = ra:leader_query(amqqueue:get_pid(Q), fun rabbit_fifo:query_messages_total/1),
				Total;
			_ ->
				[{messages, Total}] = rabbit_amqqueue:info(Q, [messages]),
				Total
		end,
		integer_to_binary(N).`, erlangQueue(vhost, queue)))
	if err == nil {
		count, err = strconv.Atoi(text)
	}
	return count, err == nil
}

// erlangQueue returns the resource name of a queue.
func erlangQueue(vhost, queue string) string {
	return fmt.Sprintf("rabbit_misc:r(%s, queue, %s)", erlangBinary(vhost), erlangBinary(queue))
}

// NewVHost creates a virtual host for one test, so that tests on one node do not share exchanges, and returns its URL. The
// virtual host is deleted when the test ends.
func (n *Node) NewVHost(t testing.TB) string {
	t.Helper()
	name := "test-" + uuid.NewString()
	n.Eval(t, erlangCall("rabbit_vhost:add", name, actingUser))
	n.evalOnCleanup(t, erlangCall("rabbit_vhost:delete", name, actingUser))
	n.SetPermissions(t, name, "guest", ".*", ".*", ".*")
	return n.URL() + name
}

// Queues returns the names of the queues of a virtual host.
func (n *Node) Queues(t testing.TB, vhost string) []string {
	t.Helper()
	return n.names(t, "amqqueue:get_name(X)", "rabbit_amqqueue", vhost)
}

// Exchanges returns the names of the exchanges of a virtual host, without the default exchange, which has no name.
func (n *Node) Exchanges(t testing.TB, vhost string) []string {
	t.Helper()
	return n.names(t, "element(2, X)", "rabbit_exchange", vhost)
}

// BoundTo returns the names of the queues and exchanges that are bound to an exchange.
func (n *Node) BoundTo(t testing.TB, vhost, exchange string) []string {
	t.Helper()
	source := fmt.Sprintf("rabbit_misc:r(%s, exchange, %s)", erlangBinary(vhost), erlangBinary(exchange))
	return strings.Fields(n.Eval(t, fmt.Sprintf(
		`iolist_to_binary(lists:join("\n", [element(4, element(4, B)) || B <- rabbit_binding:list_for_source(%s)])).`, source)))
}

// names returns the last element of the resource name of each X in a module's list.
func (n *Node) names(t testing.TB, resource, module, vhost string) []string {
	t.Helper()
	list := strings.TrimSuffix(erlangCall(module+":list", vhost), ".")
	return strings.Fields(n.Eval(t, fmt.Sprintf(`iolist_to_binary(lists:join("\n", [element(4, %s) || X <- %s])).`, resource, list)))
}

// evalOnCleanup makes the node evaluate Erlang when the test ends, if the node still runs.
func (n *Node) evalOnCleanup(t testing.TB, erlang string) {
	t.Cleanup(func() {
		if n.proc != nil {
			_, _ = n.eval(erlang)
		}
	})
}

func (n *Node) running(t testing.TB) {
	t.Helper()
	if n.proc == nil {
		t.Fatal("the node is stopped")
	}
}

// mustOwn fails a test that would disturb the node of other tests.
func (n *Node) mustOwn(t testing.TB) {
	t.Helper()
	if n.shared {
		t.Fatal("this node is shared with other tests: use testkit.StartRabbitMQ")
	}
}
