package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
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

// drain tells the bridge to end, waits until its log says that it drains, and checks that it reports that, too. It takes
// longer than a second to drain, but on a busy machine it may have ended before it is asked.
func (c child) drain(t *testing.T) (began time.Time) {
	t.Helper()
	admin := c.admin(t)
	began = time.Now()
	c.signal(t, syscall.SIGTERM)
	c.await(t, "msg=stopping clients=")
	switch got, err := get(t, &http.Transport{}, "http://"+admin+"/readyz"); {
	case err != nil && time.Since(began) > time.Second: // a busy machine
	case err != nil || !strings.Contains(got, `"draining":true`) || !strings.Contains(got, `"ready":false`):
		t.Errorf("/readyz says %s, %v", got, err)
	}
	return began
}

// confirmed sends commands, one after another, until the broker has confirmed one in time, and returns its id. On a busy
// machine a confirm may be late. The bridge has had no commands before.
func (c child) confirmed(t *testing.T, send func(id string)) (id string) {
	t.Helper()
	for n := 1; ; n++ {
		id = fmt.Sprintf("confirmed-%d", n)
		send(id)
		isConfirmed := false
		testkit.Eventually(t, testkit.Patience, "there is the outcome of "+id, func() error {
			metrics := c.adminGet(t, "/metrics")
			isConfirmed = strings.Contains(metrics, `cluws_commands_total{outcome="confirmed"} 1`)
			if outcomes := outcomesIn(metrics); outcomes < n {
				return fmt.Errorf("there are %d of %d", outcomes, n)
			}
			return nil
		})
		if isConfirmed {
			return id
		}
	}
}

// outcomesIn returns how many commands have an outcome or were not sent, of the metrics.
func outcomesIn(metrics string) (all int) {
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, "cluws_commands_total{outcome=") || strings.HasPrefix(line, "cluws_commands_refused_total ") {
			_, count, _ := strings.Cut(line, " ")
			n, _ := strconv.Atoi(strings.TrimSpace(count)) // these are small
			all += n
		}
	}
	return all
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
		// After an error the bridge has not got it, and there is no answer.
		_ = wsutil.WriteClientText(conn, fmt.Appendf(nil, `{"consumer": "echo", "command_string": "x", "command_id": %q}`, id))
	}
	confirmed := p.confirmed(t, send)
	node.Pause(t)
	send("first")
	p.awaitMetric(t, "cluws_publish_unconfirmed 1")
	began := time.Now()
	p.signal(t, syscall.SIGTERM)
	for i := range more { // at once: when the first one has its outcome, the bridge may close the connection
		send(fmt.Sprintf("late-%d", i))
	}
	e.running.Wait()
	if _, err := e.received(); err != (closed{1001, "the bridge is stopping; connect again"}) {
		t.Error(err)
	}
	if got := e.messagesWith(`"command_id":"first"`); len(got) != 1 || !strings.Contains(got[0], `"code":"unknown"`) {
		t.Errorf("the sender of the unconfirmed command received %q", got)
	}
	var refused, crossed []string
	for i := range more {
		id := fmt.Sprintf("late-%d", i)
		got := e.messagesWith(fmt.Sprintf(`"command_id":%q`, id))
		switch {
		case len(got) == 0: // on its way it met the close frame
			crossed = append(crossed, id)
		case len(got) > 1 || len(crossed) > 0:
			t.Errorf("the sender of %s received %q, and nothing of %q before it", id, got, crossed)
		case !strings.Contains(got[0], `"code":"unknown"`):
			refused = append(refused, id)
		}
	}
	p.ends(t)
	if took := time.Since(began); took > timeout+5*time.Second || p.Err() != nil {
		t.Errorf("it ended after %v with %v", took, p.Err())
	}
	node.Resume(t)
	testkit.Eventually(t, testkit.Patience, "the actor has the confirmed command", func() error {
		if arrived()[confirmed] != 1 {
			return fmt.Errorf("it has %v", arrived())
		}
		return nil
	})
	for _, id := range slices.Concat(refused, crossed) {
		if arrived()[id] > 0 {
			t.Errorf("%s was refused or not read, but sent", id)
		}
	}
	t.Logf("of %d commands after the signal %d were refused, and %d met the close frame on their way", more, len(refused), len(crossed))
}

func TestAnHTTPRequestThatWaitsForACommandIsAnsweredOnShutdown(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	p := spawnAt(t, url, "--port", "0", "--admin", "127.0.0.1:0", "--drain-timeout", "2s")
	p.awaitLinked(t)
	admin := p.admin(t)
	count(t, url, "silent", "command.echo.#", func(*amqp.Channel, amqp.Delivery) bool { return true })
	var posted chan string
	id := p.confirmed(t, func(id string) {
		posted = make(chan string, 1)
		go func() { posted <- postCommand(admin, id, "?wait=1") }()
	})
	p.signal(t, syscall.SIGTERM)
	if got := <-posted; !strings.HasPrefix(got, "504 ") || !strings.Contains(got, `"status":"timeout"`) || !strings.Contains(got, "the bridge is stopping; the actor may go on") {
		t.Errorf("the answer is %s", got)
	}
	p.ends(t)
	if err := p.Err(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.Output)
	}
	if !strings.Contains(p.Output.String(), "command_id="+id) {
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
