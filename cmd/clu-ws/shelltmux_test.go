package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// tmux is a terminal in which a test types, and whose screen it sees.
type tmux struct {
	t      *testing.T
	socket string
}

// startTmux runs a program in a terminal.
func startTmux(t *testing.T, environment []string, args ...string) tmux {
	t.Helper()
	path, err := exec.LookPath("tmux")
	if err != nil {
		testkit.Missing(t, "tmux", "install the package tmux")
	}
	x := tmux{t, filepath.Join(t.TempDir(), "tmux")}
	cmd := exec.CommandContext(t.Context(), path, "-S", x.socket, "-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30",
		strings.Join(args, " ")+"; echo exit code $?; cat")
	cmd.Env = environment
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("tmux: %v\n%s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command(path, "-S", x.socket, "kill-server").Run() }) // its folder goes anyway
	return x
}

func (x tmux) do(args ...string) string {
	x.t.Helper()
	out, err := exec.CommandContext(x.t.Context(), "tmux", append([]string{"-S", x.socket}, args...)...).CombinedOutput()
	if err != nil {
		x.t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func (x tmux) types(text string) { x.t.Helper(); x.do("send-keys", "-l", "--", text) }
func (x tmux) key(name string)   { x.t.Helper(); x.do("send-keys", name) }

// lines returns what is on the screen, without the empty lines.
func (x tmux) lines() (lines []string) {
	x.t.Helper()
	for line := range strings.Lines(x.do("capture-pane", "-p")) {
		if line = strings.TrimRight(line, " \n"); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// await waits until the screen is as it shall be.
func (x tmux) await(what string, ok func(lines []string) bool) (lines []string) {
	x.t.Helper()
	testkit.Eventually(x.t, testkit.Patience, what, func() error {
		if lines = x.lines(); !ok(lines) {
			return fmt.Errorf("the screen is\n%s", strings.Join(lines, "\n"))
		}
		return nil
	})
	return lines
}

// ends reports whether the last line is this one.
func ends(with string) func([]string) bool {
	return func(lines []string) bool { return len(lines) > 0 && lines[len(lines)-1] == with }
}

// contains reports whether a line has this text.
func contains(text string) func([]string) bool {
	return func(lines []string) bool { return strings.Contains(strings.Join(lines, "\n"), text) }
}

// startBusyDome starts a bridge with an actor dome, which says something 50 times a second and never ends the command open.
func startBusyDome(t *testing.T) (address string) {
	t.Helper()
	port := freePort(t)
	address = start(t, "websocket", "--host", "127.0.0.1", "--port", "0", "--embedded-broker", "--rabbitmq-port", port).address(t)
	dome, err := actor.New(actor.Config{Name: "dome", Link: amqpx.Config{URLs: []string{"amqp://guest:guest@127.0.0.1:" + port + "/"}}})
	if err != nil {
		t.Fatal(err)
	}
	dome.Handle("open", "Opens the dome.", func(ctx context.Context, c *actor.Call) error {
		c.Info(actor.Keywords{"text": "it moves"})
		<-ctx.Done()
		return ctx.Err()
	})
	dome.Handle("rotate AZ", "Rotates the dome.", func(context.Context, *actor.Call) error { return nil })
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = dome.Run(ctx) }) // it ends with its context
	t.Cleanup(func() { stop(); running.Wait() })
	if err := dome.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	running.Go(func() {
		every := time.NewTicker(time.Second / 50)
		defer every.Stop()
		for n := 0; ; n++ {
			select {
			case <-every.C:
				dome.Broadcast(actor.Info, actor.Keywords{"n": n})
			case <-ctx.Done():
				return
			}
		}
	})
	return address
}

// The line that is typed is the last one of the screen, whole, and nowhere else, while 50 replies a second are printed above.
func TestTheShellsLineStaysWholeWhileRepliesCome(t *testing.T) {
	_, environment := programFolder(t, startBusyDome(t))
	x := startTmux(t, environment, "clu-ws", "shell", "dome")
	x.await("the shell is there", ends("dome>"))
	x.types(".listen")
	x.key("Enter")
	x.await("replies come", func(lines []string) bool {
		return len(lines) > 20 && strings.Contains(lines[len(lines)-2], " dome i n=")
	})
	x.types("rotate 1")
	seen := map[string]bool{}
	for len(seen) < 60 {
		lines := x.await("the line is whole", ends("dome> rotate 1"))
		for _, line := range lines[:len(lines)-1] {
			if strings.Contains(line, "rotate") || strings.HasPrefix(line, "dome>") && line != "dome> .listen" {
				t.Fatalf("a piece of the line stays in %q", line)
			}
			seen[line] = true
		}
	}
	x.types("20")
	x.key("Enter")
	x.await("it is sent", contains("dome :"))
	x.await("the line is empty", ends("dome>"))
}

func TestTheShellCompletesAndSaysWhatGoesOn(t *testing.T) {
	_, environment := programFolder(t, startBusyDome(t))
	x := startTmux(t, environment, "clu-ws", "shell", "dome")
	x.await("the shell is there", ends("dome>"))
	// The actor is asked for its commands when the shell starts; until it has answered, there are those of every actor.
	x.await("Tab completes", func(lines []string) bool {
		x.key("C-u")
		x.types("op")
		x.key("Tab")
		return ends("dome> open")(lines)
	})
	x.await("the line is there", ends("dome> open"))
	x.key("Enter")
	x.await("it runs", ends("dome (1 running)>"))
	x.await("its replies are printed", contains("it moves"))
	x.key("C-c")
	x.await("the shell waits no longer", contains(`no longer waiting for "open": dome goes on with it`))
	x.await("the prompt is there", ends("dome>"))
	x.key("C-c")
	x.await("the second Ctrl-C leaves", contains("exit code 130"))
}
