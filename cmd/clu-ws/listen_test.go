package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/terminal"
)

// floodReplies are a few seconds of 20,000 replies a second.
const floodReplies = 60_000

func TestListeningToAFloodLosesNothing(t *testing.T) {
	port := freePort(t)
	// All of the flood fits into the backlog: on a busy machine the program may stand still for a while.
	p := start(t, "websocket", "--host", "127.0.0.1", "--port", "0", "--embedded-broker", "--rabbitmq-port", port, "--client-backlog", "64MiB")
	address := p.address(t)
	file, err := os.Create(filepath.Join(t.TempDir(), "replies"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	listen := command(t, "listen", "flooder", "--url", "ws://"+address, "--json", "--count", fmt.Sprint(floodReplies))
	listen.Stdout = file
	process := child{testkit.StartProcess(t, listen)}
	publish := replyPublisher(t, "amqp://guest:guest@127.0.0.1:"+port+"/", "flooder")
	// It has subscribed when the first replies are in its file.
	testkit.Eventually(t, testkit.Patience, "it listens", func() error {
		publish(-1)
		if info, err := file.Stat(); err != nil || info.Size() == 0 {
			return fmt.Errorf("nothing is in its file, %v", err)
		}
		return nil
	})
	began := time.Now()
	for n := range floodReplies {
		publish(n)
	}
	published := time.Since(began)
	process.ends(t)
	if err := process.Err(); err != nil || process.Output.String() != "" {
		t.Errorf("it ended with %v and said %q", err, process.Output)
	}
	t.Logf("%d replies were published in %v, and are in the file after %v", floodReplies, published, time.Since(began))
	checkFlood(t, file)
}

// replyPublisher returns what publishes a reply with a number.
func replyPublisher(t *testing.T, url, sender string) func(n int) {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	channel, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return func(n int) {
		t.Helper()
		err := channel.PublishWithContext(t.Context(), actor.Exchange, "reply.broadcast", false, false, amqp.Publishing{
			Headers: amqp.Table{"message_code": "i", "sender": sender, "command_id": nil, "commander_id": nil, "internal": false},
			Body:    fmt.Appendf(nil, `{"n": %d, "wind_speed_ms": 4.5, "wind_direction_deg": 271.25, "is_safe": true}`, n),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestListeningGoesOnWithTheNextBridge(t *testing.T) {
	broker := testkit.RabbitMQ(t).NewVHost(t)
	port := freePort(t)
	bridge := func() child {
		c := child{testkit.StartProcess(t, command(t, "websocket", "--host", "127.0.0.1", "--port", port, "--url", broker))}
		c.awaitLinked(t)
		return c
	}
	before := bridge()
	listen := child{testkit.StartProcess(t, command(t, "listen", "--url", "ws://127.0.0.1:"+port))}
	publish := replyPublisher(t, broker, "weather")
	heard := func(n int) {
		t.Helper()
		testkit.Eventually(t, testkit.Patience, fmt.Sprintf("it prints n=%d", n), func() error {
			publish(n)
			if !strings.Contains(listen.Output.String(), fmt.Sprintf(" weather i n=%d ", n)) {
				return errors.New(listen.Output.Tail())
			}
			return nil
		})
	}
	heard(1)
	before.Kill()
	listen.await(t, "nothing is heard now: ")
	bridge()
	listen.await(t, "connected again")
	listen.await(t, "may be missing here")
	heard(2)
	listen.signal(t, syscall.SIGINT)
	listen.exits(t, terminal.ExitInterrupted, "interrupted")
}

// checkFlood checks that each reply is there once and in its order.
func checkFlood(t *testing.T, file *os.File) {
	t.Helper()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	lines, next := 0, 0
	for scanner := bufio.NewScanner(file); scanner.Scan(); lines++ {
		var r struct{ Body struct{ N int } }
		if err := json.Unmarshal(scanner.Bytes(), &r); err != nil {
			t.Fatalf("line %d: %v", lines+1, err)
		}
		switch {
		case r.Body.N == -1 && next == 0: // from before the flood
		case r.Body.N != next:
			t.Fatalf("line %d has the reply %d, want %d", lines+1, r.Body.N, next)
		default:
			next++
		}
	}
	if lines != floodReplies {
		t.Errorf("there are %d replies, want %d", lines, floodReplies)
	}
}
