package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/wsclient"
)

// previousVariable is the environment variable that names the program of another version, from which
// TestAnUpgradeRefusesNobodyAndLosesNothing upgrades and to which it goes back; scripts/test-upgrade.sh
// sets it. Without it both are this one.
const previousVariable = "CLU_WS_TEST_PREVIOUS"

// install replaces the program, as a package does.
func (s unitService) install(program string) {
	s.t.Helper()
	next := s.Path("/usr/local/bin/clu-ws.new")
	content, err := os.ReadFile(program)
	if err == nil {
		err = os.WriteFile(next, content, 0o755)
	}
	if err == nil {
		err = os.Rename(next, s.Path("/usr/local/bin/clu-ws"))
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// startActivated starts the service with clu-ws.socket, with a durable stream or queue at a broker, and returns
// where clients connect.
func startActivated(t *testing.T, broker, durable, program string) (s unitService, address string) {
	t.Helper()
	s, address = startSystemd(t, ""), "127.0.0.1:"+freePort(t)
	s.Write("/etc/systemd/system/clu-ws.socket.d/test.conf", "[Socket]\nListenStream=\nListenStream="+address+"\n")
	s.Write(configPath, fmt.Sprintf("url: %q\nname: bridge\ndurable: %s\n", broker, durable))
	s.MustCtl("daemon-reload")
	s.install(program)
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
	for _, durable := range []string{"stream", "expires=60s"} {
		t.Run(durable, func(t *testing.T) {
			t.Parallel()
			testUpgrade(t, durable)
		})
	}
}

// testUpgrade upgrades from the previous version and goes back, while replies flow to clients.
func testUpgrade(t *testing.T, durable string) {
	t.Helper()
	broker := testkit.RabbitMQ(t).NewVHost(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	previous := cmp.Or(os.Getenv(previousVariable), self)
	s, address := startActivated(t, broker, durable, previous)
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
	hasMore := func(after int) { awaitAll(t, resuming, after) }
	for _, program := range []string{self, previous} { // an upgrade and the way back
		hasMore(source.Sent())
		s.replace(program)
		hasMore(source.Sent())
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
		c.mustBeComplete(t, i, source.Outcomes(), durable == "stream")
	}
	t.Logf("%d replies to %d clients, none of which is lost or doubled; the plain client waited %v", accepted, clients, plain.waits)
}

// replace restarts the service with another program.
func (s unitService) replace(program string) {
	s.t.Helper()
	before := s.Show(serviceUnit, "MainPID")
	s.install(program)
	s.MustCtl("restart", serviceUnit)
	if after := s.Show(serviceUnit, "MainPID"); after == before || after == "0" {
		s.t.Errorf("the service was the process %s, and is %s", before, after)
	}
	s.awaitLinked()
}

// awaitAll waits until each client has a reply, by its number, or a later one.
func awaitAll(t *testing.T, clients []*counted, n int) {
	t.Helper()
	for i, c := range clients {
		testkit.Eventually(t, testkit.Patience, fmt.Sprintf("client %d has replies", i), func() error {
			if last := c.last(); last < n {
				return fmt.Errorf("its last is %d, and should be %d", last, n)
			}
			return nil
		})
	}
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

// mustBeComplete checks that the client has each reply once and in order. Unless its numbers went on, which only a
// stream can give, it may be without those of a gap of which it was told.
func (c *counted) mustBeComplete(t *testing.T, i int, outcomes []testkit.Outcome, goesOn bool) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for n, outcome := range outcomes {
		switch got := c.times[n]; {
		case !outcome.Accepted || got == 1:
		case got > 1 || goesOn || !c.inAGap(outcome):
			t.Errorf("client %d has the reply %d, sent at %v and accepted at %v, %d times, and was told of %v", i, n, outcome.Sent, outcome.Settled, got, c.gaps)
		}
	}
	if c.order > 0 || goesOn && len(c.gaps) > 0 {
		t.Errorf("client %d has %d replies out of order, and was told of %v", i, c.order, c.gaps)
	}
}

// inAGap reports whether the client was told that a reply may be missing.
func (c *counted) inAGap(reply testkit.Outcome) bool {
	return slices.ContainsFunc(c.gaps, func(e wsclient.Event) bool {
		gap, ok := e.(wsclient.Gap)
		return ok && !gap.From.After(reply.Settled) && !gap.To.Before(reply.Sent)
	})
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
		p.conn.Close()
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
