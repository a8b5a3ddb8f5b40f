package main

import (
	"context"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Every subcommand works without a bridge, on a real broker and real actors.
func TestTheTerminalWorksStraightOverAMQP(t *testing.T) {
	clu := testkit.CLU(t)
	at := testkit.RabbitMQ(t).NewVHost(t)
	clu.StartActor(t, at, "dome")
	clu.StartModelActor(t, at, "camera", false)
	t.Setenv(brokerVariable, at)
	t.Run("send", func(t *testing.T) {
		if got := wantExit(t, "", 0, `sending "status" to dome`, "send", "dome", "status"); !strings.Contains(got, " dome : safe=true\n") {
			t.Errorf("its replies are\n%s", got)
		}
		if got := wantExit(t, "", 0, "", "send", "dome", "status", "--quiet", "--get", "position"); got != "12.5\n" {
			t.Errorf("the position is %q", got)
		}
		wantExit(t, "", 1, "dome failed: The dome is stuck.", "send", "dome", "fail")
		wantExit(t, "", 4, "nobody listens to nobody", "send", "nobody", "ping")
		// Connecting takes of the time, too: it is long, so that it ends while the command runs, and not before it is sent.
		wantExit(t, "", 6, "may still run: ask dome for its status", "send", "--timeout", "10s", "dome", "slow", "60")
	})
	t.Run("help and schema", func(t *testing.T) {
		if got := wantExit(t, "", 0, "", "help", "camera", "move"); !strings.Contains(got, "north") || !strings.Contains(got, "--speed") {
			t.Errorf("its help is\n%s", got)
		}
		if got := wantExit(t, "", 0, "", "schema", "camera"); !strings.Contains(got, "KEYWORD") {
			t.Errorf("its schema is\n%s", got)
		}
	})
	t.Run("listen", func(t *testing.T) {
		lines := whileItTalks(t, "", "listen", "dome", "dome.safe", "--count", "4", "--json")
		if strings.Count(lines, "\n") != 4 || !strings.Contains(lines, `"sender": "dome"`) {
			t.Errorf("it heard\n%s", lines)
		}
		whileItTalks(t, "", "wait", "dome.safe == true")
		measured(t, "")
	})
	t.Run("record", func(t *testing.T) { recordsOverAMQP(t) })
	t.Run("shell", func(t *testing.T) {
		shell := command(t, "shell", "dome")
		shell.Stdin = strings.NewReader("status\nfail\n")
		process := child{testkit.StartProcess(t, shell)}
		process.exits(t, 1, "dome : safe=true")
	})
	t.Run("what was before is not known", func(t *testing.T) {
		wantExit(t, "", 6, "only what is said from now on is heard", "get", "dome.safe")
		wantExit(t, "", 6, "nothing is known of what was said before now", "listen", "--since", "1h", "--wait", "1ms")
	})
	t.Run("a stream has what was before", func(t *testing.T) {
		t.Setenv("CLU_WS_DURABLE", "stream")
		wantExit(t, "", 0, "", "send", "dome", "status") // makes the stream
		if got := wantExit(t, "", 0, "", "get", "dome.safe"); got != "true\n" {
			t.Errorf("it is %q", got)
		}
	})
}

// recordsOverAMQP records replies to a file, without the broker's credential.
func recordsOverAMQP(t *testing.T) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "night.ndjson")
	whileItTalks(t, "", "record", name, "--count", "3")
	if replies, torn := readRecording(t, name); len(replies) != 3 || torn {
		t.Errorf("it recorded %q", replies)
	}
	if text, err := os.ReadFile(name); err != nil || strings.Contains(string(text), "guest") {
		t.Errorf("the recording has a credential, %v:\n%s", err, text)
	}
}

// startBroker starts a broker in the test.
func startBroker(t *testing.T) (b *broker.Broker, at string) {
	t.Helper()
	return startBrokerAt(t, "127.0.0.1:0")
}

func startBrokerAt(t *testing.T, address string) (b *broker.Broker, at string) {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	b = broker.New(broker.Config{Logger: slog.New(slog.DiscardHandler), Users: map[string]string{"anna": "s3same"}})
	var serving sync.WaitGroup
	serving.Go(func() { _ = b.Serve(ln) }) // it ends when the broker is closed
	t.Cleanup(func() { b.Close(); serving.Wait() })
	return b, "amqp://anna:s3same@" + ln.Addr().String() + "/"
}

// startGoActor runs an actor until the test ends.
func startGoActor(t *testing.T, at string, a *actor.Actor) context.Context {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = a.Run(ctx) }) // it ends with its context
	t.Cleanup(func() { stop(); running.Wait() })
	if err := a.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// startGoDome runs an actor dome, whose command open begins and does not end, and whose status ends at once.
func startGoDome(t *testing.T, at string) *actor.Actor {
	t.Helper()
	dome, err := actor.New(actor.Config{Name: "dome", Link: amqpx.Config{URLs: []string{at}, Logger: slog.New(slog.DiscardHandler)}})
	if err != nil {
		t.Fatal(err)
	}
	dome.Handle("open", "Opens the dome.", func(ctx context.Context, c *actor.Call) error {
		c.Info(actor.Keywords{"text": "it moves"})
		<-ctx.Done()
		return ctx.Err()
	})
	dome.Handle("status", "Says how it is.", func(context.Context, *actor.Call) error { return nil })
	startGoActor(t, at, dome)
	return dome
}

func TestThePasswordOfABrokerIsNotOnTheCommandLine(t *testing.T) {
	_, at := startBroker(t)
	startGoDome(t, at)
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	bare := "amqp://anna@" + u.Host + "/"
	wantExit(t, "", 2, "the URL has a password, which everyone on this machine can see", "send", "--amqp", at, "dome", "status")
	wantExit(t, "", 3, `refused user "anna"; check the user name and the password (see CLU_WS_USER and CLU_WS_PASSWORD)`, "send", "--amqp", bare, "dome", "status")
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("s3same\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CLU_WS_PASSWORD", "file:"+file)
	wantExit(t, "", 0, "", "send", "--amqp", bare, "dome", "status")
	wantExit(t, "", 0, "", "send", "dome", "status", "--amqp", bare)
	t.Setenv("CLU_WS_PASSWORD", "wrong")
	t.Setenv("CLU_WS_USER", "anna")
	wantExit(t, "", 3, "check the user name and the password", "send", "--amqp", "amqp://"+u.Host, "dome", "status")
	t.Setenv("CLU_WS_PASSWORD", "s3same")
	wantExit(t, "", 0, "", "send", "--amqp", "amqp://"+u.Host, "dome", "status")
	t.Setenv(brokerVariable, at)
	wantExit(t, "", 0, "", "send", "dome", "status")
	// What the command line says comes first.
	wantExit(t, "127.0.0.1:1", 3, "there is no bridge at ws://127.0.0.1:1 (--url, or the variable CLU_WS_BRIDGE, names another one)", "send", "dome", "status")
}

// Beside the broker's URL, the terminal's own bridge has the settings of the bridge itself.
func TestTheTerminalsOwnBridgeHasTheBridgesSettings(t *testing.T) {
	secret := writeFile(t, "password", "s3same\n")
	t.Setenv("CLU_WS_CONFIG", writeFile(t, "clu-ws.yaml", "name: bridge\nexchange: night\nuser: anna\npassword: file:"+secret+
		"\nrabbitmq-host: elsewhere\ndurable: expires=60s\nsite:\n  dangerous:\n    - {consumer: [dome], verb: [open]}\n"))
	config, err := readTerminalBroker(t.Context(), "amqp://one amqp://berta:x@two:5673/v")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(config.Broker, " "); got != "amqp://anna:s3same@one amqp://berta:x@two:5673/v" {
		t.Errorf("the brokers are %s", got)
	}
	if config.Exchange != "night" || config.Site == nil || len(config.Site.Dangerous) != 1 || config.Durable.Expires != 0 {
		t.Errorf("the settings are %+v", config)
	}
	// Two of them may run beside the bridge, whose permissions they need.
	if !strings.HasPrefix(config.Name, "bridge_amqp-client-") {
		t.Errorf("its name is %s", config.Name)
	}
}

func TestWhatIsWrongWithABrokerIsSaid(t *testing.T) {
	for _, c := range []struct {
		code int
		said string
		env  string
		args []string
	}{
		{3, "no broker can be used: nothing listens at amqp://127.0.0.1:1/", "", []string{"send", "dome", "open", "--amqp", "amqp://127.0.0.1:1"}},
		{3, "nothing listens at amqp://127.0.0.1:1/", "", []string{"shell", "--amqp", "amqp://127.0.0.1:1"}},
		{2, "--amqp names no broker", "", []string{"send", "dome", "open", "--amqp", ""}},
		{2, "write it as amqp://host", "", []string{"send", "dome", "open", "--amqp", "ws://localhost"}},
		{2, "--amqp is for a broker and --url for a bridge", "", []string{"actors", "--amqp", "amqp://x", "--url", "ws://x"}},
		{2, "--token-file is for a bridge", "", []string{"actors", "--amqp", "amqp://x", "--token-file", "x"}},
		{2, "CLU_WS_CA, CLU_WS_CERT and CLU_WS_KEY are for TLS; use an amqps:// URL", "CLU_WS_CA=x", []string{"actors", "--amqp", "amqp://x"}},
		{2, "CLU_WS_PASSWORD: ", "CLU_WS_PASSWORD=file:/does/not/exist", []string{"actors", "--amqp", "amqp://x"}},
		{2, "CLU_WS_AMQP and CLU_WS_BRIDGE are both set", "CLU_WS_AMQP=amqp://x", []string{"actors"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			if name, value, ok := strings.Cut(c.env, "="); ok {
				t.Setenv(name, value)
				t.Setenv(bridgeVariable, "ws://localhost:1")
			}
			wantExit(t, "", c.code, c.said, c.args...)
		})
	}
}

// The bridge of a terminal can be reached by nobody else, and leaves nothing behind, even if it is killed.
func TestABridgeOfTheTerminalsOwnHasNoAddress(t *testing.T) {
	t.Parallel()
	_, at := startBroker(t)
	startGoDome(t, at)
	folder := t.TempDir()
	send := command(t, "send", "dome", "open")
	send.Env = append(send.Env, "TMPDIR="+folder, brokerVariable+"="+at)
	process := child{testkit.StartProcess(t, send)}
	process.await(t, "it moves")
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("there are %v, %v", left, err)
	}
	process.signal(t, syscall.SIGINT)
	process.exits(t, 130, "was not stopped and may still run")
}

func TestACommandWhoseEndMayHaveBeenMissedIsInDoubt(t *testing.T) {
	t.Parallel()
	b, at := startBrokerAt(t, "127.0.0.1:"+freePort(t)) // which is still free for the next one
	startGoDome(t, at)
	send := command(t, "send", "dome", "open")
	send.Env = append(send.Env, brokerVariable+"="+at)
	process := child{testkit.StartProcess(t, send)}
	process.await(t, "it moves")
	b.Close()
	process.await(t, "nothing is heard now")
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	startBrokerAt(t, u.Host)
	process.await(t, "connected again")
	process.exits(t, 5, "the bridge may have missed its last reply;")
}
