package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/wsclient"
)

// startActivated starts the service with clu-ws.socket, on a stream of a broker, and returns where
// clients connect.
func startActivated(t *testing.T, broker string) (s unitService, address string) {
	t.Helper()
	s, address = startSystemd(t, ""), "127.0.0.1:"+freePort(t)
	s.Write("/etc/systemd/system/clu-ws.socket.d/test.conf", "[Socket]\nListenStream=\nListenStream="+address+"\n")
	s.Write(configPath, fmt.Sprintf("host: 127.0.0.1\nurl: %q\nname: bridge\ndurable: stream\n", broker))
	s.MustCtl("daemon-reload")
	s.MustCtl("start", socketUnit, serviceUnit)
	s.awaitLinked()
	return s, address
}

func (s unitService) awaitLinked() {
	s.t.Helper()
	s.AwaitShow(serviceUnit, "StatusText", func(got string) bool { return strings.HasPrefix(got, "linked") })
}

func TestAnUpgradeRefusesNobodyAndLosesNothing(t *testing.T) {
	t.Parallel()
	broker := testkit.RabbitMQ(t).NewVHost(t)
	s, address := startActivated(t, broker)
	ctx, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer end()

	const clients = 3
	resuming := make([]*counted, clients)
	for i := range resuming {
		resuming[i] = startCounting(ctx, t, &running, "ws://"+address+"/")
	}
	plain := &reconnecting{address: address}
	plain.connect(t)
	running.Go(func() { plain.run(ctx, t) })
	running.Go(func() { neverRefused(ctx, t, address) })
	source := testkit.StartSource(t, broker, 200)
	hasMore := func(after int) {
		t.Helper()
		for i, c := range resuming {
			testkit.Eventually(t, testkit.Patience, fmt.Sprintf("client %d has replies", i), func() error {
				if last := c.last(); last < after {
					return fmt.Errorf("its last is %d, and should be %d", last, after)
				}
				return nil
			})
		}
	}
	for range 2 { // an upgrade and the way back
		hasMore(len(source.Outcomes()))
		before := s.Show(serviceUnit, "MainPID")
		s.MustCtl("restart", serviceUnit)
		if after := s.Show(serviceUnit, "MainPID"); after == before || after == "0" {
			t.Errorf("the service was the process %s, and is %s", before, after)
		}
		s.awaitLinked()
		hasMore(len(source.Outcomes()))
	}
	testkit.Eventually(t, testkit.Patience, "the plain client is served again", func() error {
		if n := plain.count(); n < 2 {
			return fmt.Errorf("it was closed %d times", n)
		}
		return nil
	})
	source.Stop()
	accepted := 0
	for n, outcome := range source.Outcomes() {
		if outcome.Accepted {
			accepted = n
		}
	}
	hasMore(accepted)
	for i, c := range resuming {
		c.mustBeComplete(t, i, source.Outcomes())
	}
	t.Logf("%d replies to %d clients, none of which is lost or doubled; the plain client waited %v", accepted, clients, plain.waits)
}

// counted is a v1 client that counts replies by their numbers.
type counted struct {
	mu    sync.Mutex
	times map[int]int
	max   int
	order int // how many came after a later one
	gaps  []wsclient.Event
}

func startCounting(ctx context.Context, t *testing.T, running *sync.WaitGroup, url string) *counted {
	t.Helper()
	client, err := wsclient.Dial(ctx, wsclient.Config{URL: url, MinDelay: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := client.Subscribe(ctx, wsclient.SubscribeOptions{Lossless: true})
	if err != nil {
		t.Fatal(err)
	}
	c := &counted{times: map[int]int{}, max: -1}
	running.Go(func() {
		defer client.Close()
		for event, err := range sub.Events(ctx) {
			if err != nil {
				return // the test ends
			}
			c.take(event)
		}
	})
	return c
}

func (c *counted) take(e wsclient.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := e.(*wsclient.Reply)
	if !ok {
		c.gaps = append(c.gaps, e)
		return
	}
	var body struct{ N *int }
	if json.Unmarshal(r.Body, &body) != nil || body.N == nil {
		return
	}
	c.times[*body.N]++
	if *body.N < c.max {
		c.order++
	}
	c.max = max(c.max, *body.N)
}

func (c *counted) last() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.max
}

func (c *counted) mustBeComplete(t *testing.T, i int, outcomes []testkit.Outcome) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for n, outcome := range outcomes {
		if got := c.times[n]; outcome.Accepted && got != 1 {
			t.Errorf("client %d has the reply %d %d times", i, n, got)
		}
	}
	if c.order > 0 || len(c.gaps) > 0 {
		t.Errorf("client %d has %d replies out of order, and %v", i, c.order, c.gaps)
	}
}

// reconnecting is a plain client that connects again as soon as it is closed.
type reconnecting struct {
	address string
	conn    net.Conn

	mu    sync.Mutex
	waits []time.Duration // from a close to the answer of the next bridge
}

func (p *reconnecting) connect(t *testing.T) {
	p.conn = testkit.DialWebSocket(t, "ws://"+p.address+"/")
}

func (p *reconnecting) run(ctx context.Context, t *testing.T) {
	for ctx.Err() == nil {
		stop := context.AfterFunc(ctx, func() { _ = p.conn.SetDeadline(time.Now()) })
		var err error
		for err == nil {
			_, err = wsutil.ReadServerText(p.conn)
		}
		stop()
		if ctx.Err() != nil {
			return
		}
		if closed, ok := errors.AsType[wsutil.ClosedError](err); !ok || closed.Code != ws.StatusGoingAway {
			t.Errorf("the plain client was closed with %v", err)
			return
		}
		began := time.Now()
		conn, err := testkit.OpenWebSocket(ctx, ws.Dialer{}, "ws://"+p.address+"/")
		if err != nil {
			if ctx.Err() == nil {
				t.Errorf("the plain client cannot come back: %v", err)
			}
			return
		}
		defer conn.Close()
		p.conn = conn
		p.mu.Lock()
		p.waits = append(p.waits, time.Since(began))
		p.mu.Unlock()
	}
}

func (p *reconnecting) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waits)
}

// neverRefused connects again and again.
func neverRefused(ctx context.Context, t *testing.T, address string) {
	for ctx.Err() == nil {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			if ctx.Err() == nil {
				t.Errorf("a connection is refused: %v", err)
			}
			return
		}
		conn.Close()
		testkit.PauseBeforeRetry(ctx)
	}
}
