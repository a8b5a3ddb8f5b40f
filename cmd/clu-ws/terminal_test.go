package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/terminal"
)

// talk runs a subcommand on the bridge at an address; "" is what the environment says.
func talk(t *testing.T, address string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), testkit.Patience)
	defer stop()
	var out, notes bytes.Buffer
	all := append([]string{"clu-ws"}, args...)
	if address != "" {
		all = slices.Insert(all, 2, "--url", "ws://"+address)
	}
	err := run(ctx, all, &out, &notes)
	if err != nil {
		fmt.Fprintln(&notes, "clu-ws:", err)
	}
	return out.String(), notes.String(), terminal.ExitCode(err)
}

// wantExit runs a subcommand and checks its exit code and what it says on the standard error. A command that was late is
// sent again, if its actor is to end it.
func wantExit(t *testing.T, address string, code int, said string, args ...string) (stdout string) {
	t.Helper()
	var stderr string
	var got int
	testkit.Eventually(t, testkit.Patience, "a command is sent in time", func() error {
		stdout, stderr, got = talk(t, address, args...)
		if ends := code == terminal.ExitDone || code == terminal.ExitFailed || code == terminal.ExitNobody; ends && isLateSend(args, got, stderr) {
			return fmt.Errorf("%w: %s", errLate, stderr)
		}
		return nil
	})
	if got != code || !strings.Contains(stderr, said) {
		t.Errorf("clu-ws %s exits with %d, want %d; it says\n%swant %q", strings.Join(args, " "), got, code, stderr, said)
	}
	return stdout
}

// startWithActor starts a bridge with its own broker, and a CLU actor dome.
func startWithActor(t *testing.T) (address string) {
	t.Helper()
	clu := testkit.CLU(t)
	port := freePort(t)
	p := start(t, "websocket", "--host", "127.0.0.1", "--port", "0", "--embedded-broker", "--rabbitmq-port", port)
	address = p.address(t)
	clu.StartActor(t, "amqp://guest:guest@127.0.0.1:"+port+"/", "dome")
	return address
}

func TestEachExitCodeOfSendByARealActor(t *testing.T) {
	address := startWithActor(t)
	if got := wantExit(t, address, 0, `sending "status" to dome`, "send", "dome", "status"); !strings.Contains(got, " dome : safe=true\n") || !strings.Contains(got, "dome_status=0x10") {
		t.Errorf("its replies are\n%s", got)
	}
	if got := wantExit(t, address, 0, "", "send", "dome", "status", "--quiet", "--get", "position"); got != "12.5\n" {
		t.Errorf("the position is %q", got)
	}
	if got := wantExit(t, address, 1, "dome failed: Gave up.", "send", "--json", "--get", "big", "dome", "odd"); got != "12345678901234567890\n" {
		t.Errorf("big is %q", got)
	}
	wantExit(t, address, 1, "dome failed: The dome is stuck.", "send", "dome", "fail")
	wantExit(t, address, 1, "dome failed: ", "send", "dome", "no-such-command")
	wantExit(t, address, 4, "nobody listens to nobody", "send", "nobody", "ping")
	wantExit(t, address, 6, "may still run: ask dome for its status", "send", "--timeout", "10s", "dome", "slow", "60")
	wantExit(t, address, 6, "none of its replies had safely", "send", "dome", "status", "--get", "safely")
	wantExit(t, address, 3, "not sent: ", "send", "dome", "status", "--id", "model-00000000-0000-4000-8000-000000000000")
}

func TestWordsAfterTwoHyphensAreTheActors(t *testing.T) {
	address := startWithActor(t)
	wantExit(t, address, 1, "dome failed: ", "send", "dome", "--", "status", "--timeout", "5s")
	wantExit(t, address, 1, "dome failed: ", "send", "dome", "status", "--mode", "fast")
	wantExit(t, address, 0, "", "send", "dome", "status", "--timeout=60s")
}

func TestAFlagThatMayBeTheActorsIsNotTaken(t *testing.T) {
	port := freePort(t)
	address := start(t, "websocket", "--host", "127.0.0.1", "--port", "0", "--embedded-broker", "--rabbitmq-port", port).address(t)
	camera, err := actor.New(actor.Config{Name: "camera", Link: amqpx.Config{
		URLs: []string{"amqp://guest:guest@127.0.0.1:" + port + "/"}, Logger: slog.New(slog.DiscardHandler),
	}})
	if err != nil {
		t.Fatal(err)
	}
	var exposed atomic.Int32
	camera.Handle("expose [--timeout SECONDS]", "Takes an image.\n\n--timeout  How long.", func(context.Context, *actor.Call) error {
		exposed.Add(1)
		return nil
	})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = camera.Run(ctx) }) // it ends with its context
	t.Cleanup(func() { stop(); running.Wait() })
	if err := camera.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	// The model is waited for for a second only: without it, the flag would be taken.
	testkit.Eventually(t, testkit.Patience, "the bridge has the model of the camera", func() error {
		if _, notes, code := talk(t, address, "help", "camera", "expose"); code != 0 {
			return fmt.Errorf("help ends with %d: %s", code, notes)
		}
		return nil
	})
	wantExit(t, address, 2, "nothing was sent: expose of camera has an option --timeout, too", "send", "camera", "expose", "--timeout", "5s")
	if exposed.Load() != 0 {
		t.Error("it was sent")
	}
	wantExit(t, address, 0, "", "send", "--timeout", "30s", "camera", "expose")
	wantExit(t, address, 0, "", "send", "camera", "--", "expose", "--timeout", "5")
	wantExit(t, address, 0, "", "send", "camera", "expose", "--quiet")
	if exposed.Load() != 3 {
		t.Errorf("it was sent %d times", exposed.Load())
	}
}

func TestWithoutABridgeNothingIsSent(t *testing.T) {
	for _, args := range [][]string{{"send", "dome", "open"}, {"get", "dome.x"}, {"listen"}, {"wait", "dome.x==1"}, {"actors"}, {"hz", "dome"}, {"help", "dome"}, {"schema", "dome"}} {
		wantExit(t, "127.0.0.1:"+freePort(t), 3, "there is no bridge at ws://127.0.0.1:", args...)
	}
}

func TestWithoutABrokerNothingIsSent(t *testing.T) {
	p := start(t, "websocket", "--host", "127.0.0.1", "--port", "0", "-P", "1")
	wantExit(t, p.address(t), 3, "not sent: ", "send", "dome", "open")
	wantExit(t, p.address(t), 6, "no value of dome.x is known", "get", "dome.x")
	wantExit(t, p.address(t), 6, "nothing is heard now: the bridge's link to the broker is down", "listen", "--wait", "1ms")
	wantExit(t, p.address(t), 0, "nothing is heard now: the bridge's link to the broker is down", "actors")
}

func TestAWrongCommandLineIsUsage(t *testing.T) {
	for _, args := range [][]string{
		{"send"}, {"send", "dome"}, {"send", "--no-such", "dome", "open"}, {"send", "dome", "open", "--timeout"}, {"send", "dome", "open", "--timeout", "soon"},
		{"get"}, {"get", "dome."}, {"get", "dome.x", "--max-age", "old"}, {"get", "dome.x", "--no-such"}, {"listen", "--filter", "x"}, {"listen", "--color", "pink"},
		{"wait"}, {"wait", "dome.x = 1"}, {"actors", "dome"}, {"hz"}, {"hz", "a", "b"}, {"schema"}, {"get", "dome.x", "--token-file", "/does/not/exist"}, {"get", "--url", "http://x", "dome.x"},
	} {
		wantExit(t, "127.0.0.1:1", 2, "clu-ws: ", args...)
	}
}

func TestValuesOfARealActor(t *testing.T) {
	address := startWithActor(t)
	wantExit(t, address, 0, "", "send", "dome", "status")
	wantExit(t, address, 1, "", "send", "dome", "odd")
	if got := wantExit(t, address, 0, "", "get", "dome.big", "--max-age", "5m"); got != "12345678901234567890\n" {
		t.Errorf("a big integer is %q", got)
	}
	if got := wantExit(t, address, 0, "", "get", "dome.nested.a.1"); got != "2.5\n" {
		t.Errorf("an item is %q", got)
	}
	wantExit(t, address, 6, "no value of dome.nested.b.0.c is known", "get", "dome.nested.b.0.c")
	wantExit(t, address, 6, "dome.big is too old: it is ", "get", "dome.big", "--max-age", "1ns")
	if got := wantExit(t, address, 0, "", "wait", "dome.big > 5 and dome.safe==true", "--max-age", "any"); !strings.Contains(got, "dome.big 12345678901234567890\n") {
		t.Errorf("it waited for %q", got)
	}
	wantExit(t, address, 6, "the time ran out; dome.big is ", "wait", "dome.big < 5", "--timeout", "5s")
	testkit.Eventually(t, testkit.Patience, "the bridge asks the broker about the actor", func() error {
		if got, _, _ := talk(t, address, "actors", "--json"); !strings.Contains(got, `"name":"dome","state":"alive"`) {
			return fmt.Errorf("the actors are %s", got)
		}
		return nil
	})
	if got := wantExit(t, address, 0, "", "help", "dome", "slow"); !strings.Contains(got, "clu-ws send dome slow [SECONDS]") {
		t.Errorf("its help is\n%s", got)
	}
	lines := map[string]bool{} // several patterns select each reply
	for line := range strings.Lines(wantExit(t, address, 0, "", "listen", "dome", "d*", "dome.*", "--since", "1h", "--count", "6", "--json")) {
		lines[line] = true
	}
	if len(lines) != 6 {
		t.Errorf("it heard %d different replies: %v", len(lines), lines)
	}
}

// startSlow starts send in a process of its own, and returns once the command runs.
func startSlow(t *testing.T, address string) child {
	t.Helper()
	send := child{testkit.StartProcess(t, command(t, "send", "--url", "ws://"+address, "dome", "slow", "60", "--timeout", "50s"))}
	send.await(t, "step=waiting")
	return send
}

// exits checks the exit code of a process and what it said last.
func (c child) exits(t *testing.T, code int, said string) {
	t.Helper()
	c.ends(t)
	exit, ok := c.Err().(*exec.ExitError)
	if !ok || exit.ExitCode() != code || !strings.Contains(c.Output.String(), said) {
		t.Errorf("it ended with %v, want %d; it said\n%swant %q", c.Err(), code, c.Output, said)
	}
}

func TestCtrlCNamesTheCommandThatRuns(t *testing.T) {
	send := startSlow(t, startWithActor(t))
	send.signal(t, syscall.SIGINT)
	send.exits(t, 130, "was not stopped and may still run: ask dome for its status")
}

func TestACommandWhoseBridgeDiesIsInDoubt(t *testing.T) {
	clu := testkit.CLU(t)
	broker := testkit.RabbitMQ(t).NewVHost(t)
	p := child{testkit.StartProcess(t, command(t, "websocket", "--host", "127.0.0.1", "--port", "0", "--url", broker))}
	address := p.announcedAddress(t, "ws://")
	p.awaitLinked(t)
	clu.StartActor(t, broker, "dome")
	send := startSlow(t, strings.TrimSuffix(address, "/"))
	p.Kill()
	send.exits(t, 5, "it is not known how")
}

func TestAReaderThatGoesEndsListeningQuietly(t *testing.T) {
	address := startDemo(t)
	listen := command(t, "listen", "--url", "ws://"+address, "--internal")
	pipe, err := listen.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var notes bytes.Buffer
	listen.Stderr = &notes
	if err := listen.Start(); err != nil {
		t.Fatal(err)
	}
	defer listen.Process.Kill()
	if _, err := pipe.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	pipe.Close()
	ended := make(chan error, 1)
	go func() { ended <- listen.Wait() }()
	select {
	case err = <-ended:
	case <-time.After(testkit.Patience):
		t.Fatal("it goes on")
	}
	exit, ok := err.(*exec.ExitError)
	if status, is := exit.Sys().(syscall.WaitStatus); !ok || !is || status.Signal() != syscall.SIGPIPE || notes.Len() > 0 {
		t.Errorf("it ended with %v and said %q", err, notes.String())
	}
}
