package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// talkers are a bridge in a process of its own, an actor dome that talks, and subcommands that run.
type talkers struct {
	t               *testing.T
	broker          string
	port, adminPort string
	phase           atomic.Value // what dome says in its keyword phase
	bridge          child
	clients         int
}

// startTalkers starts all but the subcommands. The actor stays when the bridge restarts.
func startTalkers(t *testing.T) *talkers {
	t.Helper()
	_, at := startBroker(t)
	w := &talkers{t: t, broker: at, port: freePort(t), adminPort: freePort(t)}
	w.phase.Store("before")
	dome := startGoDome(t, at)
	ctx, stop := context.WithCancel(t.Context())
	var talking sync.WaitGroup
	talking.Go(func() {
		every := time.NewTicker(time.Second / 20)
		defer every.Stop()
		for n := 1; ; n++ {
			select {
			case <-every.C:
				dome.Broadcast(actor.Info, actor.Keywords{"n": n, "phase": w.phase.Load()})
			case <-ctx.Done():
				return
			}
		}
	})
	t.Cleanup(func() { stop(); talking.Wait() })
	w.startBridge()
	return w
}

func (w *talkers) startBridge() {
	w.t.Helper()
	w.bridge = child{testkit.StartProcess(w.t, command(w.t, "websocket", "--host", "127.0.0.1", "--port", w.port, "--url", w.broker, "--admin", "127.0.0.1:"+w.adminPort))}
	w.bridge.awaitLinked(w.t)
}

// run starts a subcommand, which reads stdin.
func (w *talkers) run(stdin io.Reader, args ...string) child {
	w.t.Helper()
	cmd := command(w.t, args...)
	cmd.Stdin, cmd.Env = stdin, append(cmd.Env, bridgeVariable+"=ws://127.0.0.1:"+w.port)
	w.clients++
	return child{testkit.StartProcess(w.t, cmd)}
}

// keyboard returns the standard input of a subcommand, as a file, so that it ends without waiting for its input, and where it is
// written.
func keyboard(t *testing.T) (lines, typing *os.File) {
	t.Helper()
	lines, typing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lines.Close(); typing.Close() })
	return lines, typing
}

// awaitClients waits until every subcommand is connected: some of them print nothing before their end.
func (w *talkers) awaitClients() {
	w.t.Helper()
	testkit.Eventually(w.t, testkit.Patience, "the subcommands are connected", func() error {
		metrics, err := get(w.t, &http.Transport{}, "http://127.0.0.1:"+w.adminPort+"/metrics")
		if want := fmt.Sprintf("cluws_clients{protocol=\"v1\"} %d\n", w.clients); err == nil && !strings.Contains(metrics, want) {
			_, clients, _ := strings.Cut(metrics, "\ncluws_clients{")
			err = fmt.Errorf("there are %.200s, want %s", clients, want)
		}
		return err
	})
}

// interrupted presses Ctrl-C, and checks the exit code and what was said.
func (c child) interrupted(t *testing.T, code int, said string) {
	t.Helper()
	c.signal(t, syscall.SIGINT)
	c.endsWith(t, code, said)
}

// endsWith checks the exit code of a process, which may be 0, and what it said.
func (c child) endsWith(t *testing.T, code int, said string) {
	t.Helper()
	c.ends(t)
	got := 0
	if err := c.Err(); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			t.Fatal(err)
		}
		got = exit.ExitCode()
	}
	if got != code || !strings.Contains(c.Output.String(), said) {
		t.Errorf("it ended with %d, want %d; it said\n%s\nwant %q", got, code, c.Output.Tail(), said)
	}
}

func TestCtrlCEndsEachSubcommand(t *testing.T) {
	t.Parallel()
	w := startTalkers(t)
	lines, typing := keyboard(t)
	name := filepath.Join(t.TempDir(), "night.ndjson")
	send, shell := w.run(nil, "send", "dome", "open"), w.run(lines, "shell", "dome")
	listen, record := w.run(nil, "listen", "dome"), w.run(nil, "record", name, "dome")
	wait, hz, deaf := w.run(nil, "wait", "dome.phase==never"), w.run(nil, "hz", "dome", "--for", "1h"), w.run(nil, "hz", "nobody", "--for", "1h")
	send.await(t, "it moves")
	if _, err := io.WriteString(typing, "open\n"); err != nil {
		t.Fatal(err)
	}
	shell.await(t, "it moves")
	listen.await(t, "n=")
	w.awaitClients()
	awaitRecorded(t, name, `"phase"`)
	send.interrupted(t, 130, "was not stopped and may still run: ask dome for its status")
	shell.interrupted(t, 130, `"open" to dome`)
	listen.interrupted(t, 130, "interrupted")
	record.interrupted(t, 0, "replies were recorded to")
	wait.interrupted(t, 130, "interrupted")
	deaf.interrupted(t, 130, "interrupted")
	hz.interrupted(t, 0, "(all replies of dome)")
}

// awaitRecorded waits until a recording has this.
func awaitRecorded(t *testing.T, name, text string) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, "the recording has "+text, func() error {
		if all, err := readAll(name); err != nil || !strings.Contains(all, text) {
			return fmt.Errorf("%v: %.200s", err, all)
		}
		return nil
	})
}

func TestEachSubcommandGoesThroughARestartOfTheBridge(t *testing.T) {
	t.Parallel()
	w := startTalkers(t)
	lines, typing := keyboard(t)
	types := func(line string) {
		t.Helper()
		if _, err := io.WriteString(typing, line+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "night.ndjson")
	send, shell := w.run(nil, "send", "dome", "open"), w.run(lines, "shell", "dome")
	listen, record := w.run(nil, "listen", "dome", "--json"), w.run(nil, "record", name, "dome")
	wait, hz := w.run(nil, "wait", "dome.phase==after"), w.run(nil, "hz", "dome", "--for", "1h")
	send.await(t, "it moves")
	types("status")
	shell.await(t, "dome :")
	w.awaitClients()
	awaitRecorded(t, name, `"before"`)

	w.bridge.stop(t)
	for _, c := range []child{send, shell, listen, record, wait, hz} {
		c.await(t, "nothing is heard now")
	}
	types("status")
	shell.await(t, "not sent: ")
	w.phase.Store("after")
	w.startBridge()
	send.endsWith(t, 5, "it is not known how")
	wait.endsWith(t, 0, "dome.phase after")
	for _, c := range []child{shell, listen, record, hz} {
		c.await(t, "connected again")
	}
	listen.await(t, `"after"`)
	awaitRecorded(t, name, `"after"`)
	types("status")
	typing.Close()
	shell.endsWith(t, 0, "dome :")
	listen.interrupted(t, 130, "replies of ")
	record.interrupted(t, 0, "replies were recorded to")
	hz.interrupted(t, 0, "(all replies of dome)")
	inOrder(t, "the output of listen", listen.Output.String())
	all, err := readAll(name)
	if err != nil || !strings.Contains(all, `"op":"gap"`) && !strings.Contains(all, `"op": "gap"`) {
		t.Errorf("the recording has no gap, %v", err)
	}
	inOrder(t, "the recording", all)
}

// inOrder checks that each broadcast comes once, and in order.
func inOrder(t *testing.T, where, text string) {
	t.Helper()
	last := 0
	for line := range strings.Lines(text) {
		var reply struct{ Body struct{ N int } }
		if json.Unmarshal([]byte(line), &reply) != nil || reply.Body.N == 0 {
			continue
		}
		if reply.Body.N <= last {
			t.Errorf("%s has %d after %d", where, reply.Body.N, last)
		}
		last = reply.Body.N
	}
	if last == 0 {
		t.Errorf("%s has nothing", where)
	}
}

func readAll(name string) (string, error) {
	text, err := os.ReadFile(name)
	return string(text), err
}
