package main

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// drain tells the bridge to end, and waits until it reports that it drains.
func (c child) drain(t *testing.T) (began time.Time) {
	t.Helper()
	began = time.Now()
	c.signal(t, syscall.SIGTERM)
	c.awaitMetric(t, "cluws_ready 0")
	if got := c.adminGet(t, "/readyz"); !strings.Contains(got, `"draining":true`) || !strings.Contains(got, `"ready":false`) {
		t.Errorf("/readyz says %s", got)
	}
	return began
}

func TestADrainingBridgeAcceptsNoClientsAndShedsThoseItHas(t *testing.T) {
	t.Parallel()
	const clients, rate = 60, 20
	p := spawnAt(t, testkit.RabbitMQ(t).NewVHost(t), "--port", "0", "--admin", "127.0.0.1:0", "--shed-rate", fmt.Sprint(rate))
	p.awaitLinked(t)
	address := p.announcedAddress(t, "ws://")
	left := make([]time.Time, clients)
	var leaving sync.WaitGroup
	for i := range clients {
		e, _ := startRecording(t, fmt.Sprintf("client %d", i), ws.Dialer{}, "ws://"+address)
		leaving.Go(func() {
			e.running.Wait()
			left[i] = time.Now()
			if _, err := e.received(); err != (closed{1001, "the bridge is stopping; connect again"}) {
				t.Errorf("%s: %v", e.name, err)
			}
		})
	}
	began := p.drain(t)
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Error("it still accepts clients")
	}
	leaving.Wait()
	p.ends(t)
	if err := p.Err(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.Output)
	}
	early := 0
	for _, at := range left {
		if at.Sub(began) < clients*time.Second/rate/2 {
			early++
		}
	}
	t.Logf("%d of %d clients were closed after %v, all after %v", early, clients, clients*time.Second/rate/2, slices.MaxFunc(left, time.Time.Compare).Sub(began))
	if early > clients/2+rate/10 {
		t.Errorf("%d of %d clients were closed in the first half of the time", early, clients)
	}
}

func TestEachCommandThatIsSentDuringADrainHasAnEnd(t *testing.T) {
	t.Parallel()
	const clients = 30
	url := testkit.RabbitMQ(t).NewVHost(t)
	p := spawnAt(t, url, "--port", "0", "--admin", "127.0.0.1:0", "--shed-rate", "20", "--message-rate", "1000000")
	p.awaitLinked(t)
	arrived, failed := echo(t, url), tapReplies(t, url)
	all := make([]*commander, clients)
	var commanding sync.WaitGroup
	for i := range all {
		d := ws.Dialer{}
		if i%2 == 1 {
			d = v1()
		}
		conn, br, err := dialBridge(t.Context(), d, "ws://"+p.announcedAddress(t, "ws://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		all[i] = &commander{name: fmt.Sprintf("client%d", i), consumer: []string{"echo", "nobody"}[i/2%2], ends: map[string]int{}}
		commanding.Go(func() { all[i].command(buffered{conn, br}) })
	}
	testkit.Eventually(t, testkit.Patience, "the actor has commands", func() error {
		if got := len(arrived()); got < 100 {
			return fmt.Errorf("%d", got)
		}
		return nil
	})
	p.drain(t)
	commanding.Wait()
	p.ends(t)
	sent, crossed, got, forAll := 0, 0, arrived(), failed()
	for _, c := range all {
		sent += len(c.sent)
		if closed, ok := errors.AsType[wsutil.ClosedError](c.err); !ok || closed.Code != ws.StatusGoingAway {
			t.Errorf("%s: %v", c.name, c.err)
		}
		for i, id := range c.sent {
			switch {
			case got[id] > 1 || c.ends[id] > 1:
				t.Errorf("the actor received %s %d times, and its sender %d ends", id, got[id], c.ends[id])
			case forAll[id] > 0 && c.ends[id] == 0:
				t.Errorf("the failure of %s, which is unroutable, was published, but its sender did not receive it", id)
			case got[id]+c.ends[id] > 0:
			case i < len(c.sent)-1:
				t.Errorf("there is no end of %s", id)
			default:
				crossed++ // on its way it met the close frame
			}
		}
	}
	t.Logf("%d commands, %d of which met the close frame on their way", sent, crossed)
}

func TestTheOutcomeOfACommandPrecedesTheCloseFrameAndTheBridgeEndsInTime(t *testing.T) {
	t.Parallel()
	const timeout, more = 8 * time.Second, 10
	node := testkit.StartRabbitMQ(t)
	p := spawnAt(t, node.URL(), "--port", "0", "--admin", "127.0.0.1:0", "--drain-timeout", timeout.String())
	p.awaitLinked(t)
	arrived := echo(t, node.URL())
	e, conn := startRecording(t, "the client", v1(), "ws://"+p.announcedAddress(t, "ws://"))
	send := func(id string) {
		if err := wsutil.WriteClientText(conn, fmt.Appendf(nil, `{"consumer": "echo", "command_string": "x", "command_id": %q}`, id)); err != nil {
			t.Error(err)
		}
	}
	send("confirmed")
	p.awaitMetric(t, `cluws_commands_total{outcome="confirmed"} 1`)
	node.Pause(t)
	send("first")
	p.awaitMetric(t, "cluws_publish_unconfirmed 1")
	began := p.drain(t)
	for i := range more {
		send(fmt.Sprintf("late-%d", i))
	}
	e.running.Wait()
	if _, err := e.received(); err != (closed{1001, "the bridge is stopping; connect again"}) {
		t.Error(err)
	}
	if got := e.messagesWith(`"command_id":"first"`); len(got) != 1 || !strings.Contains(got[0], `"code":"unknown"`) {
		t.Errorf("the sender of the unconfirmed command received %q", got)
	}
	var refused []string
	for i := range more {
		id := fmt.Sprintf("late-%d", i)
		got := e.messagesWith(fmt.Sprintf(`"command_id":%q`, id))
		if len(got) != 1 {
			t.Errorf("the sender of %s received %q", id, got)
		} else if !strings.Contains(got[0], `"code":"unknown"`) {
			refused = append(refused, id)
		}
	}
	p.ends(t)
	if took := time.Since(began); took > timeout+5*time.Second || p.Err() != nil {
		t.Errorf("it ended after %v with %v", took, p.Err())
	}
	node.Resume(t)
	testkit.Eventually(t, testkit.Patience, "the actor has the confirmed command", func() error {
		if arrived()["confirmed"] != 1 {
			return fmt.Errorf("it has %v", arrived())
		}
		return nil
	})
	for _, id := range refused {
		if arrived()[id] > 0 {
			t.Errorf("%s was refused, but sent", id)
		}
	}
	t.Logf("%d of %d commands after the signal were refused", len(refused), more)
}

func TestAnHTTPRequestThatWaitsForACommandIsAnsweredOnShutdown(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	p := spawnAt(t, url, "--port", "0", "--admin", "127.0.0.1:0", "--drain-timeout", "2s")
	p.awaitLinked(t)
	admin := p.admin(t)
	arrived := count(t, url, "silent", "command.echo.#", func(*amqp.Channel, amqp.Delivery) bool { return true })
	posted := make(chan string, 1)
	go func() { posted <- postCommand(admin, "runs on", "?wait=1") }()
	awaitArrival(t, arrived, "runs on")
	p.signal(t, syscall.SIGTERM)
	if got := <-posted; !strings.HasPrefix(got, "504 ") || !strings.Contains(got, `"status":"timeout"`) || !strings.Contains(got, "the bridge is stopping; the actor may go on") {
		t.Errorf("the answer is %s", got)
	}
	p.ends(t)
	if err := p.Err(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.Output)
	}
	if !strings.Contains(p.Output.String(), `command_id="runs on"`) {
		t.Errorf("the log does not name the client:\n%s", p.Output)
	}
}

func TestAClientThatDoesNotAnswerTheCloseFrameIsNotAwaited(t *testing.T) {
	t.Parallel()
	p := spawn(t, nil, "--host", "127.0.0.1", "--port", "0")
	testkit.DialWebSocket(t, "ws://"+p.announcedAddress(t, "ws://")+"/") // it reads nothing
	p.stop(t)
	if !strings.Contains(p.Output.String(), "event=drain_incomplete") {
		t.Errorf("it was awaited:\n%s", p.Output)
	}
}
