package bridge_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws/wsutil"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// closing reads until the client is closed, and returns how many replies came first, and the code
// and reason.
func (c *client) closing() (replies int, code int, reason string, err error) {
	_ = c.SetReadDeadline(time.Now().Add(testkit.Patience))
	for {
		_, err := wsutil.ReadServerText(c)
		if closed := (wsutil.ClosedError{}); errors.As(err, &closed) {
			return replies, int(closed.Code), closed.Reason, nil
		}
		if err != nil {
			return replies, 0, "", err
		}
		replies++
	}
}

func TestAStoppingBridgeShedsItsClientsAtASteadyRate(t *testing.T) {
	const clients, rate = 60, 50
	b := linked(t, embeddedBroker(t), func(c *bridge.Config) { c.Drain.ShedRate = rate })
	var left sync.WaitGroup
	times := make([]time.Time, clients)
	for i := range clients {
		c := dial(t, b.addr)
		left.Go(func() {
			_, code, reason, err := c.closing()
			times[i] = time.Now()
			if err != nil || code != 1001 || !strings.Contains(reason, "stopping") {
				t.Errorf("a client was closed with %d %q, %v", code, reason, err)
			}
			c.Close()
		})
	}
	start := time.Now()
	ended := b.stop()
	awaitDraining(t, b)
	left.Wait()
	if _, err := net.Dial("tcp", b.addr); err == nil {
		t.Error("it still takes clients in")
	}
	if err := b.end(t, ended); err != nil {
		t.Error(err)
	}
	// At no moment may more clients have been closed than the rate allows; a busy machine may
	// be slower.
	slices.SortFunc(times, time.Time.Compare)
	for i, at := range times {
		if allowed := int(at.Sub(start).Seconds()*rate) + 1 + rate/10; i >= allowed {
			t.Errorf("%d clients were closed after %v, at a rate of %d a second", i+1, at.Sub(start), rate)
			break
		}
	}
}

func awaitDraining(t *testing.T, b *running) {
	t.Helper()
	testkit.WaitUntil(t, "the bridge is not ready", func() bool { return strings.Contains(b.metrics(t), "cluws_ready 0") })
}

func TestAStoppingBridgeServesAClientUntilItsCommandHasItsOutcome(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, func(c *bridge.Config) { c.Loops, c.Drain.ShedRate, c.Drain.Timeout = 1, 1, 20*time.Second })
	p := newPeer(t, url)
	commands := p.hear("command.#")
	idle := func() { // each takes the bridge, which sheds one a second, a while
		for range 3 {
			dial(t, b.addr)
		}
	}
	idle() // one loop has its clients in some order; the sender is neither the first nor the last
	sender := dial(t, b.addr)
	idle()
	ended := b.stop()
	awaitDraining(t, b)
	sent := 0
	for n := range 20 {
		sender.say(fmt.Sprintf(`{"consumer": "x", "command_string": "%d"}`, n))
		sent++
	}
	failed, code, _, err := sender.closing()
	if err != nil || code != 1001 {
		t.Fatalf("closed with %d, %v", code, err)
	}
	sender.Close()
	if err := b.end(t, ended); err != nil {
		t.Error(err)
	}
	p.publish("command.x", amqp.Publishing{CorrelationId: "the end"}) // behind everything that was confirmed
	arrived := 0
	for testkit.Receive(t, commands).CorrelationId != "the end" {
		arrived++
	}
	if arrived+failed > sent || failed > 0 && arrived == 0 {
		t.Errorf("of %d commands %d arrived and %d were refused", sent, arrived, failed)
	}
}

func TestABridgeStopsWithinItsTimeoutWhateverItsClientsDo(t *testing.T) {
	b := linked(t, embeddedBroker(t), func(c *bridge.Config) { c.Drain.ShedRate = 1; c.Drain.Timeout = 2 * time.Second })
	for range 20 {
		dial(t, b.addr) // a client that neither reads nor answers a close frame
	}
	start := time.Now()
	if err := b.end(t, b.stop()); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 10*time.Second { // by the rate they would be closed in 20 s
		t.Errorf("it took %v", took)
	}
}
