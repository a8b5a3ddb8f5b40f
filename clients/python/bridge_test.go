package python_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/demo"
)

const brokerURL = "amqp://guest:guest@localhost/"

// startObservatory starts a broker and the actors of the demo.
func startObservatory(t *testing.T) *broker.Broker {
	t.Helper()
	b := broker.New(broker.Config{})
	t.Cleanup(func() { b.Close() })
	ready := make(chan struct{})
	cfg := demo.Config{URL: brokerURL, Dial: b.Dial, Logger: slog.New(slog.DiscardHandler), Speed: 20, Ready: func() { close(ready) }}
	run(t, func(ctx context.Context) error { return demo.Run(ctx, cfg) })
	<-ready
	return b
}

// startBridge starts a bridge at an address, which has its broker, and returns what stops it.
func startBridge(t *testing.T, b *broker.Broker, addr string) (at string, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	br, err := bridge.New(bridge.Config{Broker: []string{brokerURL}, Dial: b.Dial, Logger: slog.New(slog.DiscardHandler),
		History: hub.History{Replies: 10_000}, KeywordHistory: 1 << 20})
	if err == nil {
		err = br.Listen(ln)
	}
	if err != nil {
		t.Fatal(err)
	}
	stop = run(t, br.Run)
	if err := br.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return ln.Addr().String(), stop
}

// run runs something until the test ends or stop is called.
func run(t *testing.T, do func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := do(ctx); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	}()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

// goesOnAfterARestart runs a program at a bridge that is restarted: it tells the gap, and each command has one end.
func goesOnAfterARestart(t *testing.T, python string) {
	b := startObservatory(t)
	addr, stop := startBridge(t, b, "127.0.0.1:0")
	cmd := exec.CommandContext(t.Context(), python, "-B", "tests/night.py", "ws://"+addr)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	// A program that stood still gets several replies at once: it has had its commands, too, before it goes on.
	epochs, epoch, done, last := map[string]int{}, "", 0, ""
	restarted, ended := false, false
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		last = lines.Text()
		if last == "done" {
			done++
		} else if of, isReply := strings.CutPrefix(last, "reply "); isReply {
			epoch = of
			epochs[epoch]++
		}
		switch {
		case !restarted && epochs[epoch] >= 3 && done >= 3:
			restarted = true
			stop()
			_, stop = startBridge(t, b, addr)
		case !ended && len(epochs) == 2 && epochs[epoch] >= 3 && done >= 6:
			ended = true
			_, _ = io.WriteString(stdin, "\n")
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	judge(t, last)
}

// judge judges what the program saw.
func judge(t *testing.T, line string) {
	t.Helper()
	var saw struct {
		Seen  [][3]any
		Ends  [][]string
		Model string
	}
	if err := json.Unmarshal([]byte(line), &saw); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	for i, reply := range saw.Seen[1:] {
		before := saw.Seen[i]
		if restarted := reply[0] != before[0]; restarted != reply[2].(bool) || !restarted && reply[1].(float64) <= before[1].(float64) {
			t.Errorf("%v follows %v", reply, before)
		}
	}
	done := 0
	for _, ends := range saw.Ends {
		if len(ends) != 1 {
			t.Errorf("a command has the ends %q", ends)
		} else if ends[0] == "done" {
			done++
		}
	}
	if done < 3 || saw.Model != "known" {
		t.Errorf("%d of %d commands were done, the model is %s", done, len(saw.Ends), saw.Model)
	}
}
