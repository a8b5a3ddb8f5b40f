package wsclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// TestCutsLoseNothing cuts the connection again and again while the actor counts: every subscription gets each number once,
// in order, and without a gap, whatever the others select.
func TestCutsLoseNothing(t *testing.T) {
	const last, cuts = 10_000, 25
	o := newObservatory(t, nil)
	c := o.dial(nil)
	all := subscribe(t, c, SubscribeOptions{Filter: Filter{Keyword: []string{"even", "odd"}}})
	even := subscribe(t, c, SubscribeOptions{Filter: Filter{Keyword: []string{"even"}}})
	odd := subscribe(t, c, SubscribeOptions{Filter: Filter{Keyword: []string{"odd"}}, Lossless: true, Buffer: 1})

	say := o.broadcaster()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ahead := make(chan struct{}, 100) // the actor is not far ahead of the client, so that the cuts are along the way
	var running sync.WaitGroup
	running.Go(func() {
		for n := range last + 1 {
			select {
			case ahead <- struct{}{}:
			case <-ctx.Done():
				return
			}
			name := "even"
			if n%2 == 1 {
				name = "odd"
			}
			if err := say(actor.Keywords{name: n}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	var counted sync.WaitGroup
	for _, s := range []struct {
		sub         *Subscription
		first, step int
	}{{all, 0, 1}, {even, 0, 2}, {odd, 1, 2}} {
		counted.Go(func() {
			count(t, s.sub, s.first, s.step, last, func() {
				if s.sub == all {
					<-ahead
				}
			})
		})
	}
	done := make(chan struct{})
	go func() { counted.Wait(); close(done) }()
	made := 0
	for made < cuts {
		if !pause(done) {
			break
		}
		c.cut()
		made++
	}
	<-done
	t.Logf("%d cuts", made)
	stop() // after a failure, too
	running.Wait()
}

// TestACatchUpThatNoConnectionLastsForEnds has three subscriptions miss more than any connection brings before it is cut.
func TestACatchUpThatNoConnectionLastsForEnds(t *testing.T) {
	const last = 5000
	o := newObservatory(t, nil)
	proxy := testkit.StartChaosProxy(t, o.addr, 1) // each connection brings 200 kB at most
	c := o.dial(func(cfg *Config) { cfg.URL = "ws://" + proxy.Addr })
	all := subscribe(t, c, SubscribeOptions{Lossless: true})
	even := subscribe(t, c, SubscribeOptions{Lossless: true, Filter: Filter{Keyword: []string{"even"}}})
	odd := subscribe(t, c, SubscribeOptions{Lossless: true, Filter: Filter{Keyword: []string{"odd"}}})
	say := o.broadcaster()
	proxy.Target("127.0.0.1:1") // where nobody listens
	proxy.Cut()
	for n := range last + 1 {
		if err := say(actor.Keywords{[]string{"even", "odd"}[n%2]: n}); err != nil {
			t.Fatal(err)
		}
	}
	proxy.Target(o.addr)
	var counted sync.WaitGroup
	counted.Go(func() { count(t, all, 0, 1, last, func() {}) })
	counted.Go(func() { count(t, even, 0, 2, last, func() {}) })
	counted.Go(func() { count(t, odd, 1, 2, last, func() {}) })
	counted.Wait()
	if cuts, _ := proxy.Faults(); cuts < 5 {
		t.Errorf("the connections were cut %d times", cuts)
	}
}

// pause waits for a short random time, and reports whether done is still open.
func pause(done <-chan struct{}) bool {
	timer := time.NewTimer(rand.N(20 * time.Millisecond))
	defer timer.Stop()
	select {
	case <-done:
		return false
	case <-timer.C:
		return true
	}
}

func subscribe(t *testing.T, c *Client, o SubscribeOptions) *Subscription {
	t.Helper()
	sub, err := c.Subscribe(within(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// count expects the numbers from first to last, and calls counted for each.
func count(t *testing.T, sub *Subscription, first, step, last int, counted func()) {
	ctx := within(t)
	for want := first; want <= last; want += step {
		e, err := sub.Next(ctx)
		if err != nil {
			t.Errorf("waiting for %d: %v", want, err)
			return
		}
		r, ok := e.(*Reply)
		if !ok {
			t.Errorf("waiting for %d: got %#v", want, e)
			return
		}
		for _, value := range r.Keywords() {
			if string(value) != fmt.Sprint(want) {
				t.Errorf("got %s, want %d", value, want)
				return
			}
		}
		counted()
	}
}

// TestEachCommandIsSentOnce cuts the connection and restarts the bridge while commands run: the actor gets none twice, and
// none that the client calls rejected; the end of each is the truth.
func TestEachCommandIsSentOnce(t *testing.T) {
	const commands = 400
	o := newObservatory(t, nil)
	c := o.dial(nil)
	sub := subscribe(t, c, SubscribeOptions{Filter: Filter{Sender: []string{"nobody"}}})
	defer sub.Close()
	stop := make(chan struct{})
	var cutting sync.WaitGroup
	cutting.Go(func() {
		for n := 0; pause(stop); n++ {
			if n%20 == 19 {
				o.stopBridge()
				o.startBridge()
				continue
			}
			c.cut()
		}
	})
	states := map[CommandState]int{}
	sent := map[string]CommandState{}
	for range commands {
		if err := c.awaitConnected(within(t)); err != nil {
			t.Fatal(err)
		}
		command := c.Send(context.Background(), "dome", "open", SendOptions{Timeout: time.Second, Expires: time.Second})
		_, err := command.Wait(within(t))
		if err != nil && !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrRejected) {
			t.Errorf("a command ended with %v", err)
		}
		state := command.State()
		states[state]++
		sent[command.ID] = state
	}
	close(stop)
	cutting.Wait()
	got := map[string]int{}
	// What the actor has is all there once a later command has come.
	command := c.awaitAndSend(t)
	for id := range o.opened {
		got[id]++
		if id == command.ID {
			break
		}
	}
	for id, n := range got {
		if n > 1 {
			t.Errorf("the actor got %s %d times", id, n)
		}
		if sent[id] == Rejected {
			t.Errorf("the actor got %s, which counts as rejected", id)
		}
	}
	for id, state := range sent {
		if state == Done && got[id] != 1 {
			t.Errorf("%s is done, but the actor got it %d times", id, got[id])
		}
	}
	t.Log(states)
}

// awaitAndSend sends a command that is done.
func (c *Client) awaitAndSend(t *testing.T) *Command {
	for {
		if err := c.awaitConnected(within(t)); err != nil {
			t.Fatal(err)
		}
		command := c.Send(context.Background(), "dome", "open", SendOptions{})
		if _, err := command.Wait(within(t)); err == nil {
			return command
		}
	}
}

// TestTheEndOfAnUnknownCommandIsToldLater loses the connection while a command runs.
func TestTheEndOfAnUnknownCommandIsToldLater(t *testing.T) {
	o := newObservatory(t, nil)
	c := o.dial(nil)
	command := c.Send(within(t), "dome", "hang", SendOptions{})
	<-o.opened
	c.cut()
	if _, err := command.Wait(within(t)); !errors.Is(err, ErrUnknown) || errors.Is(err, ErrTimeout) {
		t.Fatalf("got %v", err)
	}
	close(o.end)
	select {
	case <-command.Settled():
	case <-within(t).Done():
		t.Fatal("its end was never told")
	}
	if result, err := command.Result(); err != nil || result.Reply == nil {
		t.Errorf("it ended with %+v, %v", result, err)
	}
}

// TestARestartedBridgeIsAGap restarts the bridge: what it no longer has is told, and the last values come.
func TestARestartedBridgeIsAGap(t *testing.T) {
	o := newObservatory(t, nil)
	c := o.dial(nil)
	sub := subscribe(t, c, SubscribeOptions{Filter: Filter{Sender: []string{"dome"}}})
	o.dome.Broadcast(actor.Info, actor.Keywords{"n": 1})
	if e, err := sub.Next(within(t)); err != nil || e.(*Reply) == nil {
		t.Fatal(e, err)
	}
	o.stopBridge()
	stopped := time.Now() // what the broker had accepted shortly before may not have come
	o.startBridge()
	e, err := sub.Next(within(t))
	if gap, ok := e.(Gap); !ok || gap.Reason == "" || gap.From.IsZero() || gap.From.After(stopped.Add(time.Second-brokerDelay)) || !gap.To.After(gap.From) {
		t.Fatalf("got %#v, %v; want a gap that begins before %v", e, err, stopped)
	}
	if e, err := sub.Next(within(t)); err != nil {
		t.Fatal(err)
	} else if _, ok := e.(*Snapshot); !ok {
		t.Fatalf("got %#v; want the last values", e)
	}
	o.dome.Broadcast(actor.Info, actor.Keywords{"n": json.Number("2")})
	e, err = sub.Next(within(t))
	if r, ok := e.(*Reply); !ok || !strings.Contains(string(r.Body), "2") {
		t.Fatalf("got %#v, %v; want the reply", e, err)
	}
}
